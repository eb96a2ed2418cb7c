# Copyright (c) 2026, the Breakwater authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=sh disable=SC2154  # core.sh sets what this file uses
# Section host: operating system, listeners, processes, packages, services, mounts, firewall. Raw output only.

bw_packages='samba samba-common samba-common-bin samba-libs samba-client smbclient libsmbclient libsmbclient0 libwbclient0 winbind
samba-winbind samba-ad-dc samba-server ksmbd-tools cifs-utils smb4k ctdb'

# Secrets of mount options and credentials leave the host as ***, whatever separates them.
bw_redact() {
    sed -e 's/\([Pp][Aa][Ss][Ss][A-Za-z0-9]*=\)\([^, 	]*\\[,]\)*[^, 	]*/\1***/g'
}

bw_host_os() {
    for bw_item in /etc/os-release /usr/lib/os-release; do
        if [ -r "$bw_item" ]; then
            cat "$bw_item"
            return
        fi
    done
    if bw_has freebsd-version; then
        printf 'ID=freebsd\nVERSION_ID=%s\n' "$(freebsd-version -u)"
    elif bw_has sw_vers; then
        printf 'ID=macos\nVERSION_ID=%s\n' "$(sw_vers -productVersion)"
    else
        head -n 1 /etc/release /etc/redhat-release 2>/dev/null
        return 1
    fi
}

bw_host_listeners() {
    if bw_has ss; then
        bw_run host.ss ss -H -lntup
    elif bw_has sockstat; then
        bw_run host.sockstat sockstat -46l
    elif bw_has netstat; then
        bw_run host.netstat netstat -lntup
    fi
    for bw_item in tcp tcp6 udp udp6; do
        [ -r "/proc/net/$bw_item" ] && bw_file "host.proc_$bw_item" "/proc/net/$bw_item"
    done
}

bw_host_packages() {
    # shellcheck disable=SC2086
    if bw_has dpkg-query; then
        # shellcheck disable=SC2016
        bw_record host.packages dpkg-query bw_host_dpkg
        bw_record host.updates 'apt-cache policy' bw_host_apt
        bw_record host.index_age 'apt lists' bw_host_age /var/lib/apt/lists /var/lib/apt/periodic/update-success-stamp
    elif bw_has apk; then
        bw_run host.packages apk info -v
        bw_run host.updates apk version -l '<'
        bw_record host.index_age 'apk cache' bw_host_age /var/cache/apk /lib/apk/db
    elif bw_has rpm; then
        bw_record host.packages rpm bw_host_rpm
        if bw_has dnf; then
            bw_run host.updates dnf -q -C list --upgrades $bw_packages
            bw_record host.index_age 'dnf cache' bw_host_age /var/cache/dnf /var/cache/libdnf5
        elif bw_has zypper; then
            bw_run host.updates zypper --no-refresh -q list-updates
            bw_record host.index_age 'zypp cache' bw_host_age /var/cache/zypp/raw
        elif bw_has yum; then
            bw_run host.updates yum -q -C list updates
            bw_record host.index_age 'yum cache' bw_host_age /var/cache/yum
        fi
    elif bw_has pacman; then
        bw_run host.packages pacman -Q
        bw_run host.updates pacman -Qu
        bw_record host.index_age 'pacman db' bw_host_age /var/lib/pacman/sync
    elif bw_has pkg; then
        bw_run host.packages pkg query '%n %v'
        bw_run host.updates pkg version -U -l '<'
        bw_record host.index_age 'pkg db' bw_host_age /var/db/pkg
    fi
}

bw_host_dpkg() {
    # shellcheck disable=SC2016,SC2086
    bw_bounded "$bw_seconds" dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' $bw_packages 2>/dev/null
    return 0
}

bw_host_rpm() {
    # shellcheck disable=SC2086
    bw_bounded "$bw_seconds" rpm -q --qf '%{NAME} %{VERSION}-%{RELEASE}\n' $bw_packages 2>/dev/null | grep -v 'is not installed'
    return 0
}

bw_host_apt() {
    # shellcheck disable=SC2086
    bw_bounded "$bw_seconds" apt-cache policy $bw_packages
}

# bw_host_age PATH ...: days since the newest of them changed.
bw_host_age() {
    bw_newest=''
    for bw_item in "$@"; do
        [ -e "$bw_item" ] || continue
        bw_stamp=$(stat -c %Y "$bw_item" 2>/dev/null || stat -f %m "$bw_item" 2>/dev/null) || continue
        if [ -z "$bw_newest" ] || [ "$bw_stamp" -gt "$bw_newest" ]; then bw_newest=$bw_stamp; fi
    done
    [ -n "$bw_newest" ] || return 1
    bw_now=$(date +%s) || return 1
    printf '%s\n' $(((bw_now - bw_newest) / 86400))
}

bw_host_services() {
    bw_units='smbd.service nmbd.service winbind.service samba-ad-dc.service smb.service nmb.service ksmbd.service ctdb.service'
    if [ -d /run/systemd/system ] && bw_has systemctl; then
        # shellcheck disable=SC2086
        bw_run host.systemd systemctl show --no-pager -p Id -p LoadState -p ActiveState -p UnitFileState $bw_units
    elif bw_has rc-status; then
        bw_run host.openrc rc-status -a
    elif bw_has sysrc; then
        bw_run host.sysrc sysrc -a
    elif [ -d /etc/rc2.d ]; then
        bw_record host.sysv /etc/rc2.d bw_host_sysv
    fi
}

bw_host_sysv() {
    ls /etc/rc2.d /etc/init.d
}

# bw_host_shares TABLE: its lines that mount shares. A table that is there and cannot be read may hold anything.
bw_host_shares() {
    if [ ! -r "$1" ]; then
        echo 'cannot be read' >&2
        return 1
    fi
    bw_table=$(awk '!/^[ \t]*#/ && ($3 == "cifs" || $3 == "smb3" || $3 == "smbfs")' "$1") || return 1
    [ -z "$bw_table" ] || printf '%s\n' "$bw_table" | bw_redact
}

bw_host_mounts() {
    [ -e /proc/mounts ] || [ "$(uname -s)" = Linux ] || return 0
    bw_host_shares /proc/mounts
}

bw_host_fstab() {
    [ -e /etc/fstab ] || return 0
    bw_host_shares /etc/fstab
}

# The whole table, for those who want to change it; not where a password stands in it.
bw_host_fstab_file() {
    if grep -Eiq 'pass[a-z0-9]*=' /etc/fstab; then
        echo 'a password stands in it' >&2
        return 1
    fi
    cat /etc/fstab
}

bw_host_cifs() {
    set +f
    for bw_item in /sys/module/cifs/parameters/*; do
        [ -r "$bw_item" ] && printf '%s=%s\n' "${bw_item##*/}" "$(cat "$bw_item")"
    done
    [ -r /proc/fs/cifs/SecurityFlags ] && printf 'SecurityFlags=%s\n' "$(cat /proc/fs/cifs/SecurityFlags)"
    set -f
    return 0
}

bw_host_modprobe() {
    set +f
    for bw_item in /etc/modprobe.d/*.conf /usr/lib/modprobe.d/*.conf; do
        [ -r "$bw_item" ] && awk '/^[ \t]*(options|blacklist|install)[ \t]+(cifs|ksmbd)([ \t]|$)/' "$bw_item"
    done
    set -f
    return 0
}

bw_host_firewall() {
    if bw_has nft; then bw_run raw.nft nft -j list ruleset; fi
    if bw_has iptables-save; then bw_run raw.iptables iptables-save; fi
    if bw_has ip6tables-save; then bw_run raw.ip6tables ip6tables-save; fi
    if bw_has iptables-legacy-save && [ -r /proc/net/ip_tables_names ]; then bw_run raw.iptables_legacy iptables-legacy-save; fi
    if bw_has firewall-cmd; then bw_run raw.firewalld firewall-cmd --list-all-zones; fi
    if bw_has ufw; then bw_run raw.ufw ufw status verbose; fi
    if bw_has pfctl; then bw_run raw.pf pfctl -sr; fi
    if bw_has ipfw; then bw_run raw.ipfw ipfw list; fi
}

# Processes of SMB software that live in other namespaces (containers): "pid name" lines.
bw_host_elsewhere() {
    ps -e -o pid= -o comm= 2>/dev/null | awk '$2 ~ /^(smbd|nmbd|winbindd|ksmbd.mountd|tsmb-server|lwiod)$/' | while read -r bw_pid bw_name; do
        bw_own "$bw_pid" || printf '%s %s\n' "$bw_pid" "$bw_name"
    done
    return 0
}

bw_collect_host() {
    bw_run host.uname uname -srm
    bw_text host.name hostname "$(hostname 2>/dev/null || uname -n)"
    bw_record host.os os-release bw_host_os
    bw_host_listeners
    if ps -e -o pid= -o comm= >/dev/null 2>&1; then
        bw_run host.processes ps -e -o pid= -o comm=
        bw_record host.elsewhere ps bw_host_elsewhere
    else
        bw_run host.processes_busybox ps -o pid,comm
    fi
    bw_host_packages
    bw_host_services
    # shellcheck disable=SC2016
    [ -r /proc/modules ] && bw_record host.modules /proc/modules awk '$1 == "cifs" || $1 == "ksmbd" || $1 == "smbfs" { print $1 }' /proc/modules
    [ -r /sys/class/ksmbd-control/stats ] && bw_file host.ksmbd /sys/class/ksmbd-control/stats
    bw_record host.mounts /proc/mounts bw_host_mounts
    [ -r /proc/fs/cifs/DebugData ] && bw_file host.cifs_debug /proc/fs/cifs/DebugData
    bw_record host.fstab /etc/fstab bw_host_fstab
    if [ -r /etc/fstab ] && [ -n "$(bw_host_fstab)" ]; then
        bw_record host.fstab_file /etc/fstab bw_host_fstab_file
        bw_record host.sha256 SHA-256 bw_sums /etc/fstab
    fi
    bw_record host.cifs_parameters cifs bw_host_cifs
    bw_record host.modprobe modprobe.d bw_host_modprobe
    bw_host_firewall
}
