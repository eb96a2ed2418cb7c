#!/bin/sh
# SPDX-FileCopyrightText: 2026 the Breakwater authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ksmbd, the SMB server in the Linux kernel, in a small virtual machine: a kernel and a RAM disk, made of Debian packages.
# It needs neither root nor KVM, and boots in some seconds.
#
#   ksmbd.sh build                                     make the kernel and the RAM disk, once (downloads some 36 MB)
#   ksmbd.sh run ADDRESS CONSOLE 'line of [global]
#   another line'                                      start it; ADDRESS:445 is its port 445, CONSOLE a file to write to
#
# What it makes lies in .build/ksmbd of the repository (or in $BREAKWATER_KSMBD). Debian 12 or newer, amd64:
# apt-get install --no-install-recommends qemu-system-x86 busybox-static kmod cpio xz-utils
set -eu
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
work=${BREAKWATER_KSMBD:-$here/../../../.build/ksmbd}

# The 6.1 kernels of Debian 12 cannot run ksmbd: they crash, or sign with a wrong key.
kernels='linux-image-6.12-cloud-amd64 linux-image-cloud-amd64'
modules='virtio_pci virtio_net ksmbd cmac ccm gcm ctr ecb hmac sha512_generic sha256_generic md5 nls_utf8'

kernel_package() {
    for meta in $kernels; do
        found=$(apt-cache depends "$meta" 2>/dev/null | awk '/Depends: linux-image-/ { print $2; exit }')
        case $found in *-6.1.*) continue ;; ?*) echo "$found" && return ;; esac
    done
    echo "no kernel package with a working ksmbd: $kernels" >&2
    return 1
}

build() {
    mkdir -p "$work"
    exec 9>"$work/lock"
    flock 9
    [ ! -e "$work/ready" ] || return 0
    rm -rf "$work/packages" "$work/kernel" "$work/root"
    mkdir -p "$work/packages" "$work/kernel" "$work/root"
    cd "$work/packages"
    package=$(kernel_package)
    apt-get -qq -o APT::Sandbox::User=root download "$package" ksmbd-tools libnl-3-200 libnl-genl-3-200 busybox-static
    dpkg-deb -x linux-image*.deb ../kernel
    for one in ksmbd-tools libnl-3 libnl-genl busybox; do dpkg-deb -x $one*.deb ../root; done
    cd "$work"
    version=$(ls kernel/lib/modules)
    depmod -b kernel "$version"
    for one in $(root/bin/busybox --list); do [ -e "root/bin/$one" ] || ln -s busybox "root/bin/$one"; done
    mkdir -p root/proc root/sys root/dev root/run root/tmp root/srv/pub root/etc/ksmbd root/modules
    libraries=$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu
    LD_LIBRARY_PATH=$libraries ldd root/usr/libexec/ksmbd.tools | grep -o '/[^ ]*' | grep -v "^$work" |
        while read -r one; do mkdir -p "root$(dirname "$one")" && cp -L "$one" "root$one"; done
    for one in $modules; do modprobe -d "$work/kernel" -S "$version" --show-depends "$one" 2>/dev/null || :; done |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
        while read -r one; do
            name=$(basename "$one" .xz)
            case $one in *.xz) xz -dc "$one" >"root/modules/$name" ;; *) cp "$one" "root/modules/$name" ;; esac
            echo "/modules/$name"
        done >root/modules/order
    cp "$here/ksmbd-init.sh" root/init
    chmod 755 root/init
    (cd root && find . | cpio -o -H newc 2>/dev/null | gzip -1) >initrd.gz
    cp kernel/boot/vmlinuz-* vmlinuz
    rm -rf packages kernel root
    touch ready
}

run() {
    lines=$(printf '%s\n' "$3" | base64 -w 0)
    exec qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m 256 -nodefaults -display none -monitor none -no-reboot \
        -serial "file:$2" -kernel "$work/vmlinuz" -initrd "$work/initrd.gz" \
        -append "console=ttyS0 quiet panic=-1 ksmbd=$lines" \
        -netdev "user,id=net,restrict=on,hostfwd=tcp:$1:445-:445" -device virtio-net-pci,netdev=net,romfile=
}

"$@"
