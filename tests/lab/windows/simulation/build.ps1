# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Compile the C# part of the simulation: build.ps1 SOURCE-DIRECTORY OUTPUT.dll
param([string]$Source, [string]$Output)
$ErrorActionPreference = 'Stop'
$files = Get-ChildItem -LiteralPath $Source -Filter *.cs | ForEach-Object { $_.FullName }
# CS1701: assembly versions that differ between PowerShell's parts; CS0436: System.Management.ManagementException is ours.
Add-Type -Path $files -OutputAssembly $Output -OutputType Library -IgnoreWarnings -CompilerOptions '-nowarn:CS1701,CS0436'
