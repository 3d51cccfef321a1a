#!/bin/sh
# image-tag.sh FILE COMMIT: the tag of the image that FILE builds, as the registry takes it.
#   Dockerfile    ARG CONTAINER_APP_VERSION=1.2.3, or LABEL org.opencontainers.image.version=1.2.3    v1.2.3-<sha7>
#   default.nix   version = "1.2.3";                                                                  v1.2.3-<sha7>-nix
# The first of each kind counts, with or without quotes and a leading v.
set -eu

fail() {
  echo "image-tag.sh: $1" >&2
  exit 1
}

[ $# -eq 2 ] || fail 'usage: image-tag.sh FILE COMMIT'
file=$1
commit=$2
[ -r "$file" ] || fail "$file cannot be read"

first() { sed -n "s/$1/\\1/p" "$file" | head -n 1; }

value="[\"']\\{0,1\\}v\\{0,1\\}\\([0-9][^\"' ;]*\\).*"
case $file in
*.nix)
  suffix=-nix
  version=$(first "^[[:space:]]*version[[:space:]]*=[[:space:]]*$value")
  ;;
*)
  suffix=
  version=$(first "^[[:space:]]*ARG[[:space:]][[:space:]]*CONTAINER_APP_VERSION=$value")
  [ -n "$version" ] || version=$(first "^[[:space:]]*LABEL[[:space:]].*org\\.opencontainers\\.image\\.version[\"']\\{0,1\\}=$value")
  ;;
esac
[ -n "$version" ] || fail "$file names no version: see the head of this script for what it looks for"
echo "$version" | grep -Eq '^[0-9]+\.[0-9]+\.[0-9]+$' || fail "version $version in $file is not of the form 1.2.3"
echo "$commit" | grep -Eq '^[0-9a-f]{7,64}$' || fail "$commit is no commit hash of 7 digits or more"
echo "v$version-$(echo "$commit" | cut -c 1-7)$suffix"
