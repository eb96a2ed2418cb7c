// Copyright (c) 2026, the Breakwater authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The enumerations that the Windows modules define, with their published names and numbers.

namespace Microsoft.PowerShell.Cmdletization.GeneratedTypes.SmbShare
{
    public enum ShareState : uint { Pending, Online, Offline }
    public enum AvailabilityType : uint { NonClustered, Clustered, ScaleOut, CSV, DFS }
    public enum ShareType : uint { FileSystemDirectory, PrintQueue, InterprocessCommunication }
    public enum FolderEnumerationMode : uint { AccessBased, Unrestricted }
    public enum CachingMode : uint { None, Manual, Documents, Programs, BranchCache, Unknown }
    public enum LeasingMode : uint { Full, Shared, None }
    public enum SmbInstance : uint { Default, CSV, SBL, SR }
    public enum AccessControlType : uint { Allow, Deny }
    public enum ShareAccessRight : uint { Full, Change, Read, Custom }
    public enum Type : uint { QUIC }
    public enum Flags : uint { None, AllowNamedPipe, DefaultCert }
    public enum TransportType : uint { QUIC }
    public enum SmbDialect : uint { None = 0, SMB202 = 0x202, SMB210 = 0x210, SMB300 = 0x300, SMB302 = 0x302, SMB311 = 0x311 }
}

namespace Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetSecurity
{
    public enum GpoBoolean : ushort { False = 0, True = 1, NotConfigured = 2 }
    public enum Action : ushort { NotConfigured = 0, Allow = 2, Block = 4 }
}

namespace Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetConnectionProfile
{
    public enum NetworkCategory : uint { Public, Private, DomainAuthenticated }
    public enum IPv4Connectivity : uint { Disconnected, NoTraffic, Subnet, LocalNetwork, Internet }
    public enum IPv6Connectivity : uint { Disconnected, NoTraffic, Subnet, LocalNetwork, Internet }
}

namespace Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetTCPConnection
{
    public enum State : byte
    {
        Closed = 1, Listen, SynSent, SynReceived, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait, DeleteTCB, Bound = 100,
    }
}

namespace Microsoft.Dism.Commands
{
    public enum FeatureState { Disabled = 0, DisablePending = 1, Enabled = 2, EnablePending = 3, Superseded = 4, PartiallyInstalled = 5, DisabledWithPayloadRemoved = 6 }
    public enum RestartType { No, Possible, Required }
}

namespace Microsoft.Windows.ServerManager.Commands
{
    public enum InstallState { Available = 0, Installed = 1, Removed = 5, InstallPending = 6, UninstallPending = 7 }
}
