# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Get-WinEvent (all versions). Which logs exist is the host's data: SMBServer/Audit came with Server 2016.

$script:LogDenied = 'Microsoft-Windows-SMB', 'Security'

# Channels of the SMB drivers and the security log are for administrators and readers of event logs.
function Test-LogDenied([string]$Log) {
    $user = [Breakwater.Lab.State]::UserName
    $named = @(Get-Data denied_logs | Where-Object { $_.log -eq $Log -and (-not $_.users -or $_.users -contains $user) })
    if ($named.Count) { return $true }
    if ([Breakwater.Lab.State]::Elevated) { return $false }
    foreach ($start in $script:LogDenied) { if ($Log -like "$start*") { return $true } }
    $false
}

function Write-LogFault($Cmdlet, [Exception]$Exception, [string]$Id, [string]$Category) {
    Write-Fault $Cmdlet (New-Record $Exception "$Id,Microsoft.PowerShell.Commands.GetWinEventCommand" $Category $null)
}

# Names of logs that a pattern means; the errors of those that are not there or not for this user are written.
function Find-Log($Cmdlet, [string[]]$Names) {
    $all = (Get-Data event_logs).get_Keys()
    foreach ($name in $Names) {
        $found = @($all | Where-Object { $_ -like $name })
        if (-not $found.Count) { Write-LogFault $Cmdlet ([Exception]::new((Get-Message no_log $name))) 'NoMatchingLogsFound' 'ObjectNotFound' }
        foreach ($log in $found) {
            if (Test-LogDenied $log) {
                $text = Get-Message unauthorized
                Write-LogFault $Cmdlet ([UnauthorizedAccessException]::new($text)) $text 'NotSpecified'
            } else {
                $log
            }
        }
    }
}

function Get-LogObject([string]$Name) {
    $log = (Get-Data event_logs)[$Name]
    $classic = $Name -notlike '*/*'
    [pscustomobject]@{
        PSTypeName = 'System.Diagnostics.Eventing.Reader.EventLogConfiguration'; LogName = $Name; IsEnabled = $log.enabled -ne $false
        MaximumSizeInBytes = [long]$log.size; LogMode = [Diagnostics.Eventing.Reader.EventLogMode]$(if ($log.mode) { $log.mode } else { 'Circular' })
        RecordCount = $(if ($log.enabled -ne $false) { [long]$log.records }); OldestRecordNumber = $(if ($log.records) { [long]1 }); IsClassicLog = $classic
        FileSize = [long]69632; LogFilePath = "%SystemRoot%\System32\Winevt\Logs\$($Name.Replace('/', '%4')).evtx"; IsLogFull = $false
    }
}

# Event ids and age in milliseconds that an XPath expression asks for; what it cannot read is refused as Windows does.
function ConvertFrom-XPath([string]$XPath) {
    $wanted = @{ ids = @(); age = $null; provider = @() }
    if (-not $XPath -or $XPath -eq '*') { return $wanted }
    if ($XPath -notmatch '^\*\[System\[.*\]\]$') { throw [Diagnostics.Eventing.Reader.EventLogException]::new('The specified query is invalid') }
    $wanted.ids = @([regex]::Matches($XPath, 'EventID\s*=\s*(\d+)') | ForEach-Object { [int]$_.Groups[1].Value })
    $age = [regex]::Match($XPath, 'timediff\(@SystemTime\)\s*<=\s*(\d+)')
    if ($age.Success) { $wanted.age = [long]$age.Groups[1].Value }
    $wanted
}

function ConvertFrom-FilterTable([hashtable]$Filter) {
    @{ ids = @($Filter['Id'] | Where-Object { $null -ne $_ }); from = $Filter['StartTime']; to = $Filter['EndTime']; provider = @($Filter['ProviderName'] | Where-Object { $_ }) }
}

function Get-EventObject($Entry, [int]$Number) {
    $provider = $Entry.log -replace '/.*', ''
    $record = [pscustomobject]@{
        PSTypeName = 'System.Diagnostics.Eventing.Reader.EventLogRecord'; Id = [int]$Entry.id; Version = [byte]1; Level = [byte]4; ProviderName = $provider; LogName = $Entry.log
        ProcessId = 4; MachineName = (Get-Data os).computer; TimeCreated = Get-Time $Entry.time; RecordId = [long]$Number; Message = ''; UserId = 'S-1-5-18'
        Properties = @(foreach ($value in $Entry.properties) { [pscustomobject]@{ PSTypeName = 'System.Diagnostics.Eventing.Reader.EventProperty'; Value = $value.value } })
    }
    $data = -join @(foreach ($value in $Entry.properties) { "<$($value.name)>$([Security.SecurityElement]::Escape("$($value.value)"))</$($value.name)>" })
    $xml = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='$provider'/><EventID>$($Entry.id)</EventID><TimeCreated SystemTime='$($Entry.time)'/><Channel>$($Entry.log)</Channel></System><UserData><EventData xmlns='Smb3'>$data</EventData></UserData></Event>"
    $record.PSObject.Methods.Add([Management.Automation.PSScriptMethod]::new('ToXml', { $xml }.GetNewClosure()))
    $record
}

function Get-WinEvent {
    [CmdletBinding(DefaultParameterSetName = 'Log')]
    param(
        [Parameter(Position = 0, ParameterSetName = 'Log')][string[]]$LogName, [Parameter(Mandatory, ParameterSetName = 'List')][string[]]$ListLog,
        [Parameter(Mandatory, ParameterSetName = 'Hash')][hashtable[]]$FilterHashtable, [Parameter(ParameterSetName = 'Log')][string]$FilterXPath,
        [long]$MaxEvents = [long]::MaxValue, [switch]$Oldest, [switch]$Force
    )
    if (Test-Denied $PSCmdlet) { return }
    if ($ListLog) {
        foreach ($log in @(Find-Log $PSCmdlet $ListLog)) { Get-LogObject $log }
        return
    }
    if ($FilterHashtable) { $LogName = $FilterHashtable[0]['LogName']; $wanted = ConvertFrom-FilterTable $FilterHashtable[0] } else { $wanted = ConvertFrom-XPath $FilterXPath }
    $logs = @(Find-Log $PSCmdlet $LogName)
    if (-not $logs.Count) { return }
    $found = @(foreach ($entry in Get-Data events) {
        if ($logs -contains $entry.log -and (-not $wanted.ids.Count -or $wanted.ids -contains $entry.id) -and (Test-EventTime $entry $wanted)) { $entry }
    })
    if (-not $found.Count) {
        Write-LogFault $PSCmdlet ([Exception]::new((Get-Message no_events))) 'NoMatchingEventsFound' 'ObjectNotFound'
        return
    }
    if ($Oldest) { [array]::Reverse($found) }
    $number = 0
    foreach ($entry in $found) {
        $number++
        if ($number -gt $MaxEvents) { return }
        Get-EventObject $entry $number
    }
}

function Test-EventTime($Entry, $Wanted) {
    $time = Get-Time $Entry.time
    if ($Wanted.age -and ((Get-Date) - $time).TotalMilliseconds -gt $Wanted.age) { return $false }
    (-not $Wanted.from -or $time -ge $Wanted.from) -and (-not $Wanted.to -or $time -le $Wanted.to)
}
