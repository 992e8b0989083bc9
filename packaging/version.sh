#!/usr/bin/env bash
# Prints the version: packaging/version.sh
sed -n 's/.*<VersionPrefix>\(.*\)<.*/\1/p' "$(dirname "${BASH_SOURCE[0]}")/../Directory.Build.props"
