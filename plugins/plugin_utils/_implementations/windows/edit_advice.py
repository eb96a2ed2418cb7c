# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do by hand where no step exists: one sentence per fact."""

from __future__ import annotations

_PEERS = (
    "what a session or connection speaks is agreed by both ends: require signing and raise the dialect floor here, and "
    "update the peer"
)
_RENEW = (
    "renew the certificate (RSA 2048 or P-256 and stronger, SHA-256) and map it with Set-SmbServerCertificateMapping"
)
_ADVICE = {
    "windows.cluster_security_level": "run '(Get-Cluster).SecurityLevel = LEVEL' once for the whole cluster",
    "windows.cluster_storage_level": "run '(Get-Cluster).SecurityLevelForStorage = LEVEL' once for the whole cluster",
    "windows.connection_dialect": _PEERS,
    "windows.connection_protected": _PEERS,
    "windows.session_dialect": _PEERS,
    "windows.session_protected": _PEERS,
    "windows.policy_conflicts": "change the policy that sets the value, or take the local value out, with whoever owns the policy",
    "windows.quic_alternative_ports": "run Remove-SmbServerAlternativePort for ports that nobody approved",
    "windows.quic_certificate_days": _RENEW,
    "windows.quic_certificate_strong": _RENEW,
    "windows.quic_client_auth": (
        "grant each client access with Grant-SmbClientAccessToServer first, then run Set-SmbServerCertificateMapping with "
        "-RequireClientAuthentication $true"
    ),
    "windows.quic_client_access": "grant each client access with Grant-SmbClientAccessToServer",
    "windows.server_binding": "run Disable-NetAdapterBinding with -ComponentID ms_server for that adapter",
    "windows.server_bound_public": "run Disable-NetAdapterBinding with -ComponentID ms_server for the adapters in public networks",
    "windows.share_broad_access": (
        "only the share's owner knows who needs it: grant those groups, then run Revoke-SmbShareAccess for the others"
    ),
    "windows.unexpected_listeners": "find out who opened the port ('netstat.exe -abno' as administrator), and stop it",
    "windows.wins_server": "run 'Uninstall-WindowsFeature WINS' and reboot, once nobody resolves names with it",
    "windows.hardened_paths": "only the estate's owner knows its file servers: list them in the policy 'Hardened UNC Paths'",
    "windows.hardened_path": "change that line of the policy 'Hardened UNC Paths'",
    "windows.smb2_client_driver": "run 'sc.exe config mrxsmb20 start= demand' and reboot",
}


def advice(fact_id: str) -> str:
    """Return why there is no step for a fact and what to do instead, as one sentence."""
    what = fact_id.partition(".")[2].replace("_", " ") or fact_id
    return f"no step changes {what}: {_ADVICE.get(fact_id, 'the remedy of the finding says what to do')}"
