$ErrorActionPreference = 'Stop'
Install-ChocolateyPackage `
  -PackageName 'kmem_exporter' `
  -FileType 'msi' `
  -SilentArgs '/qn /norestart' `
  -ValidExitCodes @(0, 1641, 3010) `
  -Url '@URL@/kmem_exporter-@VERSION@-x86.msi' `
  -Checksum '@SHA256_X86@' -ChecksumType 'sha256' `
  -Url64bit '@URL@/kmem_exporter-@VERSION@-x64.msi' `
  -Checksum64 '@SHA256_X64@' -ChecksumType64 'sha256'
