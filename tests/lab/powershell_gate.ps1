# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Reads {"name": "script text"} as JSON on standard input and says what PowerShell's own parser finds in each script:
# "findings" that PowerShell 2.0 would not understand or would understand otherwise, "commands" with the guards around
# them, "types", "statics" and "functions". It runs on PowerShell 7; powershell_gate.py says what each rule is for.

$ErrorActionPreference = 'Stop'

$language = 'System.Management.Automation.Language'
$listMembers = 'Count', 'Length', 'GetLength', 'Clone', 'CopyTo', 'GetEnumerator'
$reflection = 'GetField', 'GetFields', 'GetMethod', 'GetMethods', 'GetProperty', 'GetProperties', 'GetConstructor', 'InvokeMember',
    'GetNestedType', 'Assembly', 'Module', 'DeclaredFields', 'MakeGenericType', 'SetValue'
$newParameters = 'Raw', 'File', 'Directory', 'Tail', 'NoNewline', 'NoEnumerate', 'Depth', 'PipelineVariable', 'InformationAction', 'Parallel'
$newVariables = 'PSItem', 'PSScriptRoot', 'PSCommandPath', 'IsWindows', 'IsLinux', 'IsCoreCLR', 'PSEdition'
$script:findings = $null

function Add-Finding([string]$rule, $ast) {
    $text = $ast.Extent.Text -replace '\s+', ' '
    $script:findings.Add(@{ rule = $rule; line = $ast.Extent.StartLineNumber; text = $text.Substring(0, [Math]::Min(100, $text.Length)) })
}

function Test-Kind($ast, [string[]]$names) {
    foreach ($name in $names) { if ($ast -is ("$language.$name" -as [type])) { return $true } }
    $false
}

# The expression inside parentheses and pipelines of one element.
function Get-Bare($ast) {
    while ($true) {
        if (Test-Kind $ast 'ParenExpressionAst') { $ast = $ast.Pipeline; continue }
        if ((Test-Kind $ast 'PipelineAst') -and $ast.PipelineElements.Count -eq 1) { $ast = $ast.PipelineElements[0]; continue }
        if (Test-Kind $ast 'CommandExpressionAst') { $ast = $ast.Expression; continue }
        return $ast
    }
}

function Get-Block($ast) {
    $at = $ast.Parent
    while ($at -and -not (Test-Kind $at 'FunctionDefinitionAst') -and $at.Parent) { $at = $at.Parent }
    $at
}

# A list whatever is in it: @(...) around commands or literals, 'a', 'b', 1..3, sums that begin with one, casts to T[].
function Test-List($ast) {
    $bare = Get-Bare $ast
    if (Test-Kind $bare 'ArrayLiteralAst') { return $true }
    if (Test-Kind $bare 'ArrayExpressionAst') {
        foreach ($statement in $bare.SubExpression.Statements) {
            $inner = Get-Bare $statement
            if ((Test-Kind $inner 'InvokeMemberExpressionAst') -and 'get_Keys', 'get_Values' -contains $inner.Member.Extent.Text) { return $true }
            if ((Test-Kind $inner 'VariableExpressionAst', 'MemberExpressionAst', 'IndexExpressionAst')) { return $false }
        }
        return $true
    }
    if (Test-Kind $bare 'BinaryExpressionAst') {
        if ($bare.Operator -eq 'DotDot') { return $true }
        if ($bare.Operator -eq 'Plus') { return Test-List $bare.Left }
        return $false
    }
    if (Test-Kind $bare 'ConvertExpressionAst') { return ($bare.Type.TypeName.Name -like '*`[`]') -and (Test-List $bare.Child) }
    $false
}

# Whether a variable holds a list in its function: every assignment gives one, or it is a parameter T[].
function Test-ListVariable($variable) {
    $name = $variable.VariablePath.UserPath
    $block = Get-Block $variable
    $assignments = @($block.FindAll({ $args[0] -is [Management.Automation.Language.AssignmentStatementAst] }, $true) |
        Where-Object { (Get-Bare $_.Left) -is [Management.Automation.Language.VariableExpressionAst] -and (Get-Bare $_.Left).VariablePath.UserPath -eq $name })
    $parameters = @($block.FindAll({ $args[0] -is [Management.Automation.Language.ParameterAst] }, $true) |
        Where-Object { $_.Name.VariablePath.UserPath -eq $name })
    foreach ($parameter in $parameters) { if ($parameter.StaticType.IsArray) { return $true } }
    if ($parameters.Count -gt 0) { return $false }
    if ($assignments.Count -eq 0) {
        # A constant of the file.
        while ($block.Parent) { $block = $block.Parent }
        $assignments = @($block.EndBlock.Statements | Where-Object { (Test-Kind $_ 'AssignmentStatementAst') -and (Get-Bare $_.Left).Extent.Text -eq "`$$name" })
    }
    if ($assignments.Count -eq 0) { return $false }
    foreach ($assignment in $assignments) { if (-not (Test-List $assignment.Right)) { return $false } }
    $true
}

# Whether the code before, or an if around, has ruled out that the variable is null.
function Test-NotNull($variable, $node) {
    $text = [regex]::Escape($variable.Extent.Text)
    for ($at = $node; $at.Parent; $at = $at.Parent) {
        if (Test-Kind $at.Parent 'IfStatementAst') {
            foreach ($clause in $at.Parent.Clauses) {
                if ($clause.Item2 -eq $at -and $clause.Item1.Extent.Text -match "\`$null -ne $text(?!\w)|$text -is \[|^$text`$") { return $true }
            }
        }
        if (-not (Test-Kind $at.Parent 'StatementBlockAst', 'NamedBlockAst')) { continue }
        foreach ($statement in $at.Parent.Statements) {
            if ($statement -eq $at) { break }
            if (-not (Test-Kind $statement 'IfStatementAst')) { continue }
            $leaves = $statement.Clauses[0].Item2.Statements | Select-Object -Last 1
            if ($statement.Clauses[0].Item1.Extent.Text -match "^\`$null -eq $text`$" -and (Test-Kind $leaves 'ReturnStatementAst', 'ThrowStatementAst', 'ContinueStatementAst')) {
                return $true
            }
        }
    }
    $false
}

function Test-Foreach($ast) {
    $bare = Get-Bare $ast.Condition
    if (Test-List $bare) { return }
    if (Test-Kind $bare 'VariableExpressionAst') {
        if ((Test-ListVariable $bare) -or (Test-NotNull $bare $ast)) { return }
    }
    # A dictionary's own enumerator is never null.
    if ((Test-Kind $bare 'InvokeMemberExpressionAst') -and $bare.Member.Extent.Text -eq 'GetEnumerator') { return }
    Add-Finding 'foreach-null' $ast.Condition
}

function Test-Member($ast) {
    $member = $ast.Member.Extent.Text
    if ($ast.Static) {
        if ($member -eq 'new') { Add-Finding 'static-new' $ast }
        return
    }
    if ($reflection -contains $member) { Add-Finding 'reflection' $ast }
    if ((Test-Kind $ast 'InvokeMemberExpressionAst') -and 'Where', 'ForEach' -contains $member) { Add-Finding 'where-foreach-method' $ast }
    if ($ast.PSObject.Properties['NullConditional'] -and $ast.NullConditional) { Add-Finding 'operator' $ast }
    $bare = Get-Bare $ast.Expression
    $many = $false
    if (Test-Kind $bare 'ArrayExpressionAst', 'ArrayLiteralAst', 'SubExpressionAst') { $many = $true }
    if (Test-Kind $bare 'CommandAst') {
        $name = $bare.GetCommandName()
        $many = -not ($name -eq 'New-Object' -or $name -like 'bw_*')
    }
    if (Test-Kind $bare 'PipelineAst') { $many = $true }
    if (Test-Kind $bare 'IndexExpressionAst') {
        $many = (Test-List $bare.Index)
    }
    if (Test-Kind $bare 'VariableExpressionAst') { $many = Test-ListVariable $bare }
    if ($many -and $listMembers -notcontains $member) { Add-Finding 'member-enumeration' $ast }
    if ($member -eq 'Count' -and -not $many) {
        $counted = Test-Kind $bare 'InvokeMemberExpressionAst'
        if (Test-Kind $bare 'VariableExpressionAst') {
            $name = $bare.VariablePath.UserPath
            $counted = $name -eq 'args' -or @((Get-Block $bare).FindAll({ $args[0] -is [Management.Automation.Language.AssignmentStatementAst] }, $true) | Where-Object {
                (Get-Bare $_.Left).Extent.Text -eq "`$$name" -and (Get-Bare $_.Right) -is [Management.Automation.Language.InvokeMemberExpressionAst]
            }).Count -gt 0
        }
        if (-not $counted) { Add-Finding 'count-of-one' $ast }
    }
}

function Test-Command($ast) {
    $name = $ast.GetCommandName()
    foreach ($parameter in @($ast.CommandElements | Where-Object { Test-Kind $_ 'CommandParameterAst' })) {
        if ($newParameters -contains $parameter.ParameterName) { Add-Finding 'new-parameter' $ast }
    }
    if ('Where-Object', 'where', '?', 'ForEach-Object', 'foreach', '%' -contains $name) {
        foreach ($element in @($ast.CommandElements | Select-Object -Skip 1)) {
            if (-not (Test-Kind $element 'ScriptBlockExpressionAst')) { Add-Finding 'simplified-pipeline' $ast; break }
        }
    }
    if ('Add-Type', 'Invoke-Expression', 'iex', 'Invoke-Command', 'icm' -contains $name) { Add-Finding 'forbidden-command' $ast }
}

function Test-Binary($ast) {
    if ("$($ast.Operator)" -match '^([IC]?(in|notin)|Shl|Shr|QuestionQuestion)$') { Add-Finding 'operator' $ast }
    if ("$($ast.Operator)" -match '^[IC]?replace$' -and $ast.Right.Find({ $args[0] -is [Management.Automation.Language.ScriptBlockExpressionAst] }, $true)) {
        Add-Finding 'operator' $ast
    }
}

function Test-Jump($ast) {
    $at = $ast.Parent
    while ($at -and -not (Test-Kind $at 'LoopStatementAst', 'ScriptBlockAst')) { $at = $at.Parent }
    if (-not $at -or (Test-Kind $at 'ScriptBlockAst')) { Add-Finding 'jump-out-of-block' $ast }
}

function Test-Node($ast) {
    $kind = $ast.GetType().Name
    switch ($kind) {
        'ForEachStatementAst' { Test-Foreach $ast }
        'MemberExpressionAst' { Test-Member $ast }
        'InvokeMemberExpressionAst' { Test-Member $ast }
        'CommandAst' { Test-Command $ast }
        'BinaryExpressionAst' { Test-Binary $ast }
        'ContinueStatementAst' { Test-Jump $ast }
        'BreakStatementAst' { Test-Jump $ast }
        'TernaryExpressionAst' { Add-Finding 'operator' $ast }
        'PipelineChainAst' { Add-Finding 'operator' $ast }
        'TypeDefinitionAst' { Add-Finding 'class' $ast }
        'UsingStatementAst' { Add-Finding 'using' $ast }
        'UsingExpressionAst' { Add-Finding 'using' $ast }
        'ConfigurationDefinitionAst' { Add-Finding 'class' $ast }
        'DynamicKeywordStatementAst' { Add-Finding 'class' $ast }
        'AssignmentStatementAst' { if ("$($ast.Operator)" -eq 'QuestionQuestionEquals') { Add-Finding 'operator' $ast } }
        'PipelineAst' { if ($ast.PSObject.Properties['Background'] -and $ast.Background) { Add-Finding 'operator' $ast } }
        'FunctionDefinitionAst' { if ($ast.IsWorkflow) { Add-Finding 'class' $ast } }
        'ConvertExpressionAst' { if ('ordered', 'pscustomobject' -contains $ast.Type.TypeName.FullName) { Add-Finding 'ordered-or-custom-object' $ast } }
        'VariableExpressionAst' { if ($newVariables -contains $ast.VariablePath.UserPath) { Add-Finding 'new-variable' $ast } }
        'NamedAttributeArgumentAst' { if ($ast.ExpressionOmitted) { Add-Finding 'attribute' $ast } }
        { $_ -match 'RedirectionAst$' } { if ('Output', 'Error' -notcontains "$($ast.FromStream)") { Add-Finding 'redirection' $ast } }
        { $_ -match 'String' } { if ("$($ast.StringConstantType)" -match 'HereString') { Add-Finding 'here-string' $ast } }
    }
}

# The names that a condition promises when it holds, and when it does not.
function Get-Promise($ast, [bool]$holds) {
    $bare = Get-Bare $ast
    if (Test-Kind $bare 'CommandAst') {
        if ($holds -and $bare.GetCommandName() -eq 'bw_has' -and (Test-Kind $bare.CommandElements[1] 'StringConstantExpressionAst')) { $bare.CommandElements[1].Value }
    } elseif (Test-Kind $bare 'UnaryExpressionAst') {
        if ('Not', 'Exclaim' -contains "$($bare.TokenKind)") { Get-Promise $bare.Child (-not $holds) }
    } elseif (Test-Kind $bare 'BinaryExpressionAst') {
        if (("$($bare.Operator)" -eq 'And' -and $holds) -or ("$($bare.Operator)" -eq 'Or' -and -not $holds)) {
            Get-Promise $bare.Left $holds
            Get-Promise $bare.Right $holds
        }
    }
}

# Commands that are certain to be there where this node runs.
function Get-Guard($node) {
    for ($at = $node; $at.Parent; $at = $at.Parent) {
        if (Test-Kind $at.Parent 'IfStatementAst') {
            $before = @()
            foreach ($clause in $at.Parent.Clauses) {
                if ($clause.Item2 -eq $at) { Get-Promise $clause.Item1 $true; $before }
                $before += @(Get-Promise $clause.Item1 $false)
            }
            if ($at.Parent.ElseClause -eq $at) { $before }
        }
        if (-not (Test-Kind $at.Parent 'StatementBlockAst', 'NamedBlockAst')) { continue }
        foreach ($statement in $at.Parent.Statements) {
            if ($statement -eq $at) { break }
            $bare = Get-Bare $statement
            if ((Test-Kind $bare 'CommandAst') -and $bare.GetCommandName() -eq 'bw_need' -and (Test-Kind $bare.CommandElements[1] 'StringConstantExpressionAst')) { $bare.CommandElements[1].Value }
            if (Test-Kind $statement 'IfStatementAst') {
                $leaves = $statement.Clauses[0].Item2.Statements | Select-Object -Last 1
                if (Test-Kind $leaves 'ReturnStatementAst', 'ThrowStatementAst') { Get-Promise $statement.Clauses[0].Item1 $false }
            }
        }
    }
}

# Commands that are certain to be missing where this node runs: it stands in the else of a plain "if (bw_has 'X')".
function Get-Lack($node) {
    for ($at = $node; $at.Parent; $at = $at.Parent) {
        if ((Test-Kind $at.Parent 'IfStatementAst') -and $at.Parent.ElseClause -eq $at) {
            foreach ($clause in $at.Parent.Clauses) {
                $bare = Get-Bare $clause.Item1
                if ((Test-Kind $bare 'CommandAst') -and $bare.GetCommandName() -eq 'bw_has') { Get-Promise $bare $true }
            }
        }
    }
}

function Get-Report([string]$text) {
    $tokens = $null
    $errors = $null
    $script:findings = [Collections.Generic.List[object]]::new()
    $ast = [Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$errors)
    foreach ($problem in $errors) { $script:findings.Add(@{ rule = 'syntax'; line = $problem.Extent.StartLineNumber; text = $problem.Message }) }
    if ($ast.ScriptRequirements -or $text -match '(?im)^\s*#requires') { $script:findings.Add(@{ rule = 'requires'; line = 1; text = '#requires' }) }
    $before = $null
    foreach ($token in $tokens) {
        if ($before -and $before.Kind -eq 'NewLine' -and 'Pipe', 'Dot' -contains "$($token.Kind)") {
            $script:findings.Add(@{ rule = 'leading-pipe'; line = $token.Extent.StartLineNumber; text = $token.Text })
        }
        $before = $token
    }
    $all = @($ast.FindAll({ $true }, $true))
    foreach ($node in $all) { Test-Node $node }
    $commands = foreach ($node in $all | Where-Object { Test-Kind $_ 'CommandAst' }) {
        @{
            name = $node.GetCommandName()
            text = $node.Extent.Text
            line = $node.Extent.StartLineNumber
            column = $node.Extent.StartColumnNumber
            parameters = @($node.CommandElements | Where-Object { Test-Kind $_ 'CommandParameterAst' } | ForEach-Object { $_.ParameterName })
            splatted = @($node.CommandElements | Where-Object { $_.PSObject.Properties['Splatted'] -and $_.Splatted }).Count -gt 0
            arguments = @($node.CommandElements | Select-Object -Skip 1 | Where-Object { Test-Kind $_ 'StringConstantExpressionAst' } | ForEach-Object { $_.Value })
            guards = @(Get-Guard $node | Sort-Object -Unique)
            lacks = @(Get-Lack $node | Sort-Object -Unique)
        }
    }
    $types = foreach ($node in $all) {
        if (Test-Kind $node 'TypeExpressionAst', 'TypeConstraintAst') { @{ name = $node.TypeName.FullName; line = $node.Extent.StartLineNumber } }
    }
    $statics = foreach ($node in $all | Where-Object { (Test-Kind $_ 'MemberExpressionAst') -and $_.Static }) {
        @{ name = "$($node.Expression.TypeName.FullName)::$($node.Member.Extent.Text)"; line = $node.Extent.StartLineNumber }
    }
    @{
        findings = @($script:findings)
        commands = @($commands)
        types = @($types)
        statics = @($statics)
        functions = @($all | Where-Object { Test-Kind $_ 'FunctionDefinitionAst' } | ForEach-Object { $_.Name })
    }
}

$scripts = [Console]::In.ReadToEnd() | ConvertFrom-Json -AsHashtable
$answer = @{}
foreach ($name in $scripts.Keys) { $answer[$name] = Get-Report $scripts[$name] }
$answer | ConvertTo-Json -Depth 8 -Compress -EscapeHandling EscapeNonAscii
