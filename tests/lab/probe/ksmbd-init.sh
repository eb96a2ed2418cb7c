#!/bin/sh
# SPDX-FileCopyrightText: 2026 the Breakwater authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The first process of the virtual machine of ksmbd.sh: loads ksmbd, configures it from the kernel's command line.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
while read -r module; do insmod "$module" 2>/dev/null; done </modules/order
ip link set lo up
ip link set eth0 up
ip address add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
hostname ksmbdvm
printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >/etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' >/etc/group
{
    printf '[global]\n netbios name = KSMBDVM\n'
    sed -n 's/.*ksmbd=\([^ ]*\).*/\1/p' /proc/cmdline | base64 -d
    printf '\n[pub]\n path = /srv/pub\n read only = no\n'
} >/etc/ksmbd/ksmbd.conf
ksmbd.adduser -a alice -p Passw0rd1
ksmbd.mountd && echo "ksmbd is up: $(uname -r)"
while :; do sleep 3600; done
