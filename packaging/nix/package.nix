# SPDX-License-Identifier: GPL-2.0-or-later
# callPackage ./package.nix { }
{
  lib,
  stdenv,
  fetchurl,
  meson,
  ninja,
  pkg-config,
  python3,
  jansson,
  libcap_ng,
  libmicrohttpd,
  libmnl,
  libpcap,
  libseccomp,
  liburcu,
  liburing,
  ncurses,
  systemd,
}:

stdenv.mkDerivation (finalAttrs: {
  pname = "ringcast";
  version = "0.1.0";

  src = fetchurl {
    url = "https://example.org/ringcast/ringcast-${finalAttrs.version}.tar.xz";
    hash = lib.fakeHash;
  };

  nativeBuildInputs = [
    meson
    ninja
    pkg-config
    python3
  ];

  buildInputs = [
    jansson
    libcap_ng
    libmicrohttpd
    libmnl
    libpcap
    libseccomp
    liburcu
    liburing
    ncurses
    systemd
  ];

  # the programs read /etc; what belongs there is installed below the package
  mesonFlags = [
    "-Dsysconfdir=/etc"
    "-Dinit=systemd"
    "-Dtests=false"
  ];

  preInstall = ''
    export DESTDIR=$NIX_BUILD_TOP/destdir
  '';

  postInstall = ''
    mkdir -p "$out"
    cp -a "$DESTDIR$out/." "$DESTDIR/etc" "$out/"
    unset DESTDIR
  '';

  meta = {
    description = "IGMP and MLD proxy that forwards multicast in userspace";
    homepage = "https://example.org/ringcast";
    license = lib.licenses.gpl2Plus;
    mainProgram = "ringcastd";
    platforms = lib.platforms.linux;
  };
})
