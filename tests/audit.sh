#!/usr/bin/env bash
# Says whether the build's dependency audit can find anything on this machine
#
# Restoring the solution audits every package, transitive ones too, and fails on a known vulnerability (Directory.Build.props).
# But a registry that serves no advisories reports nothing, whatever the package. So this script audits an old package whose advisory is
# well known (Newtonsoft.Json 12.0.1, GHSA-5crp-9r3c-p9vr). Only if that advisory is reported does a clean audit of our packages mean anything.
# The exit status is always 0: missing advisories are no fault of our code.
set -uo pipefail
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 NO_COLOR=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/known.csproj" <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework><NuGetAudit>true</NuGetAudit><NuGetAuditLevel>low</NuGetAuditLevel></PropertyGroup>
  <ItemGroup><PackageReference Include="Newtonsoft.Json" Version="12.0.1" /></ItemGroup>
</Project>
XML
found=$(timeout 120 dotnet restore "$scratch/known.csproj" -v quiet --packages "$scratch/packages" 2>&1 </dev/null)
case $found in
  *NU190[1-4]*) echo "Dependency audit: advisories are served, and none is about a package used here" ;;
  *) echo "Dependency audit: NOT DONE, the package registry serves no advisories (a package known to be vulnerable passed)" ;;
esac
