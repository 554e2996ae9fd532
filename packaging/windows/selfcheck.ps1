# Compares what a running kmem_exporter says with what Windows says by other ways: counters, registry, event logs, processes,
# the service. Prints a line for each comparison. For powershell.exe 2.0 to 5.1, on the host itself, as administrator; pwsh 6 and later
# lack the commands. Where a group policy sets the execution policy, -ExecutionPolicy does not help: paste the file into the console.
# Usage: powershell -ExecutionPolicy Bypass -File selfcheck.ps1 [-Url http://127.0.0.1:10054/metrics] [-Tolerance 2] [-User NAME]
#        [-SkipCertificateCheck]
# -Tolerance: percent by which a value may lie outside what was seen before and after the page.
# -User: of basic authentication; the password is asked for, or taken from the environment variable KMEM_PASSWORD.
# -SkipCertificateCheck: of a page with a certificate that this host does not trust.
# Pasted, or run by Invoke-Command: set $Url, $Tolerance, $User and $SkipCertificateCheck before, where the defaults do not fit.
# Exit code: 0 nothing differs, 1 something does, or no counter of Windows could be read, 2 the page could not be read. It is the last
# line, too, where no script file runs: to end by it would close the console.
param([string]$Url, [double]$Tolerance, [string]$User, [switch]$SkipCertificateCheck)

# One function, so that a console that takes pasted lines one by one runs nothing before its end.
function Start-SelfCheck {
$script:exitCode = 0
if (-not $Url) { $Url = 'http://127.0.0.1:10054/metrics' }
if (-not $Tolerance) { $Tolerance = 2 }
$script:differing = 0
$script:compared = 0
$script:skipped = 0
$culture = [System.Globalization.CultureInfo]::InvariantCulture

# In a console not by Write-Output, which breaks lines at 80 characters where it is redirected; elsewhere, as in remoting, only by it.
function Write-Line([string]$line) {
    if ($Host.Name -eq 'ConsoleHost') { [Console]::Out.WriteLine($line) } else { Write-Output $line }
}
function Write-Row([string]$verdict, [string]$what, [string]$said, [string]$wanted) {
    Write-Line ('{0,-5} {1,-58} page {2,-22} Windows {3}' -f $verdict, $what, $said, $wanted)
}
function Confirm-That([bool]$holds, [string]$what, [string]$said, [string]$wanted) {
    $script:compared += 1
    if ($holds) { Write-Row 'ok' $what $said $wanted } else { $script:differing += 1; Write-Row 'DIFF' $what $said $wanted }
}
function Skip-This([string]$what, [string]$why) {
    $script:skipped += 1
    Write-Line ('skip  {0,-58} {1}' -f $what, $why)
}

if (-not (Get-Command Get-WmiObject -ErrorAction SilentlyContinue)) {
    Write-Line 'this PowerShell has no Get-WmiObject: run the script by powershell.exe, not by pwsh'
    $script:exitCode = 2
    return
}

# --- the page ---
# Series ('name{label="value"}') to number; labels stand in the order of the page.
function Read-Page([string]$text) {
    $samples = @{}
    foreach ($line in $text.Split("`n")) {
        if ($line -match '^([a-z_]+(?:\{.*\})?) (\S+)\s*$') {
            $series = $matches[1]
            $number = $matches[2]
            if ($number -eq '+Inf') { $samples[$series] = [double]::PositiveInfinity }
            elseif ($number -eq '-Inf') { $samples[$series] = [double]::NegativeInfinity }
            elseif ($number -eq 'NaN') { $samples[$series] = [double]::NaN }
            else { $samples[$series] = [double]::Parse($number, [System.Globalization.NumberStyles]::Float, $culture) }
        }
    }
    return $samples
}
function Get-Label([string]$series, [string]$label) {
    if ($series -match ('[{,]' + $label + '="((?:[^"\\]|\\.)*)"')) { return $matches[1].Replace('\"', '"').Replace('\\', '\') }
    return ''
}

# --- counters: Get-Counter where it knows the English names, else the same counters by WMI, whose names are always English ---
$counters = @(
    @('kmem_pool_bytes{pool="paged"}', 'Pool Paged Bytes', 'PoolPagedBytes'),
    @('kmem_pool_bytes{pool="nonpaged"}', 'Pool Nonpaged Bytes', 'PoolNonpagedBytes'),
    @('kmem_pool_resident_bytes{pool="paged"}', 'Pool Paged Resident Bytes', 'PoolPagedResidentBytes'),
    @('kmem_system_ptes_free', 'Free System Page Table Entries', 'FreeSystemPageTableEntries'),
    @('kmem_commit_bytes', 'Committed Bytes', 'CommittedBytes'),
    @('kmem_commit_limit_bytes', 'Commit Limit', 'CommitLimit'),
    @('kmem_available_bytes', 'Available Bytes', 'AvailableBytes'),
    @('kmem_file_cache_bytes', 'Cache Bytes', 'CacheBytes'),
    @('kmem_file_cache_peak_bytes', 'Cache Bytes Peak', 'CacheBytesPeak')
)
function Read-Counters {
    $found = @{}
    $samples = @()
    if (Get-Command Get-Counter -ErrorAction SilentlyContinue) {
        $paths = @($counters | ForEach-Object { '\Memory\' + $_[1] })
        # Before Vista it is there and refuses to run, in a way that only catch holds.
        try { $samples = @((Get-Counter -Counter $paths -ErrorAction SilentlyContinue).CounterSamples) } catch { $samples = @() }
    }
    $memory = Get-WmiObject -Class Win32_PerfRawData_PerfOS_Memory -ErrorAction SilentlyContinue
    foreach ($row in $counters) {
        $sample = @($samples | Where-Object { $_ -and $_.Path -like ('*\memory\' + $row[1]) })
        if ($sample.Count -gt 0) { $found[$row[0]] = [double]$sample[0].RawValue }
        elseif ($memory -and $null -ne $memory.($row[2])) { $found[$row[0]] = [double]$memory.($row[2]) }
    }
    return $found
}

$before = Read-Counters
# PowerShell 2 offers TLS 1.0 only, unless its .NET knows 1.2 (3072).
try { [System.Net.ServicePointManager]::SecurityProtocol = 3072 } catch { Write-Line 'this .NET speaks no TLS 1.2: plain http only' }
try {
    $client = New-Object System.Net.WebClient
    $client.Proxy = $null
    $client.Encoding = [System.Text.Encoding]::UTF8
    if ($User) {
        $password = $env:KMEM_PASSWORD
        if (-not $password) {
            $asked = Read-Host -Prompt ('password of ' + $User) -AsSecureString
            $pointer = [System.Runtime.InteropServices.Marshal]::SecureStringToBSTR($asked)
            $password = [System.Runtime.InteropServices.Marshal]::PtrToStringBSTR($pointer)
            [System.Runtime.InteropServices.Marshal]::ZeroFreeBSTR($pointer)
        }
        $bytes = [System.Text.Encoding]::UTF8.GetBytes($User + ':' + $password)
        $client.Headers.Add('Authorization', 'Basic ' + [Convert]::ToBase64String($bytes))
    }
    if ($SkipCertificateCheck) { [System.Net.ServicePointManager]::ServerCertificateValidationCallback = { $true } }
    $page = Read-Page $client.DownloadString($Url)
} catch {
    Write-Line ('no page from ' + $Url + ': ' + $_.Exception.Message)
    $script:exitCode = 2
    return
} finally {
    if ($SkipCertificateCheck) { [System.Net.ServicePointManager]::ServerCertificateValidationCallback = $null }
}
$after = Read-Counters
if ($page.Count -lt 20) {
    Write-Line ($Url + ' is no page of kmem_exporter: ' + $page.Count + ' series')
    $script:exitCode = 2
    return
}

# --- handles: a process lives on, so a tenth and 20 more or less are no difference ---
# At once, and without this process and WMI's, which grow with what is asked here.
foreach ($series in @($page.Keys | Where-Object { $_ -like 'kmem_process_handles{*' } | Sort-Object)) {
    if ((Get-Label $series 'pid') -eq ('' + $PID) -or (Get-Label $series 'process') -like 'wmiprvse*') { continue }
    $process = Get-Process -Id ([int](Get-Label $series 'pid')) -ErrorAction SilentlyContinue
    if (-not $process) { Skip-This $series 'has ended' }
    else {
        $handles = [double]$process.HandleCount
        Confirm-That ([Math]::Abs($page[$series] - $handles) -le 20 + $handles / 10) $series $page[$series] $handles
    }
}

# --- what was read before and after the page ---
$script:counted = 0
foreach ($row in $counters) {
    $series = $row[0]
    if ($before.ContainsKey($series) -and $after.ContainsKey($series)) { $script:counted += 1 }
    if (-not $before.ContainsKey($series) -or -not $after.ContainsKey($series)) { Skip-This $series 'Windows gives no such counter' }
    elseif (-not $page.ContainsKey($series)) { Confirm-That $false $series 'absent' $after[$series] }
    else {
        $low = [Math]::Min($before[$series], $after[$series]) * (1 - $Tolerance / 100)
        $high = [Math]::Max($before[$series], $after[$series]) * (1 + $Tolerance / 100)
        $holds = $page[$series] -ge $low -and $page[$series] -le $high
        Confirm-That $holds $series $page[$series] ('' + $before[$series] + ' .. ' + $after[$series])
    }
}

# --- the system ---
$system = Get-WmiObject -Class Win32_OperatingSystem
$booted = [System.Management.ManagementDateTimeConverter]::ToDateTime($system.LastBootUpTime).ToUniversalTime()
$seconds = ($booted - (New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc))).TotalSeconds
Confirm-That ([Math]::Abs($page['kmem_boot_time_seconds'] - $seconds) -le 60) 'kmem_boot_time_seconds' $page['kmem_boot_time_seconds'] $seconds
$visible = [double]$system.TotalVisibleMemorySize * 1024
$physical = $page['kmem_physical_memory_bytes']
Confirm-That ([Math]::Abs($physical - $visible) -le $visible * $Tolerance / 100) 'kmem_physical_memory_bytes' $physical $visible
foreach ($series in @($page.Keys | Where-Object { $_ -like 'kmem_os_info{*' })) {
    $build = Get-Label $series 'build'
    Confirm-That ($build -like ('*' + $system.BuildNumber + '*')) 'kmem_os_info, build' $build $system.BuildNumber
}

# --- every part could be read ---
foreach ($series in @($page.Keys | Where-Object { $_ -like 'kmem_scrape_collector_success{*' } | Sort-Object)) {
    Confirm-That ($page[$series] -eq 1) $series $page[$series] 1
}

foreach ($part in @('big_pool', 'memory_lists', 'session_pool_tags')) {
    $series = 'kmem_scrape_collector_success{collector="' + $part + '"}'
    if (-not $page.ContainsKey($series)) { Skip-This $series 'refused to its account, or not of this Windows' }
}

# --- registry ---
$key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management'
$settings = Get-ItemProperty -Path $key
$control = Get-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Control'
foreach ($series in @($page.Keys | Where-Object { $_ -like 'kmem_memory_management_setting{*' } | Sort-Object)) {
    $name = Get-Label $series 'name'
    $value = $settings.$name
    if ($name -eq 'RegistrySizeLimit') { $value = $control.$name }
    if ($value -is [int] -and $value -lt 0) { $value = [double]$value + 4294967296 }  # a REG_DWORD has no sign
    Confirm-That ($null -ne $value -and $page[$series] -eq [double]$value) $series $page[$series] $value
}

# --- event log: the page may know more than the log still holds, never less ---
# One look for all: a log may be large. Before Vista there is no Get-WinEvent.
$wanted = @($page.Keys | Where-Object { $_ -like 'kmem_pool_failure_events_total{*' } | Sort-Object)
$ids = @($wanted | ForEach-Object { [int](Get-Label $_ 'event_id') } | Sort-Object -Unique)
$logged = @()
if ($ids.Count -gt 0) {
    $isNew = Get-Command Get-WinEvent -ErrorAction SilentlyContinue
    if ($isNew) {
        try {
            # That there is none is an error to it, too.
            $logged = @(Get-WinEvent -FilterHashtable @{ LogName = 'System'; Id = $ids } -ErrorAction SilentlyContinue |
                ForEach-Object { @{ Source = $_.ProviderName; Id = $_.Id } })
        } catch { $isNew = $null }
    }
    if (-not $isNew) {
        $logged = @(Get-EventLog -LogName System -ErrorAction SilentlyContinue | Where-Object { $ids -contains $_.EventID } |
            ForEach-Object { @{ Source = $_.Source; Id = $_.EventID } })
    }
}
foreach ($series in $wanted) {
    $provider = Get-Label $series 'provider'
    $id = [int](Get-Label $series 'event_id')
    $count = @($logged | Where-Object { $_.Id -eq $id -and $_.Source -eq $provider }).Count
    Confirm-That ($page[$series] -ge $count) $series $page[$series] ('' + $count + ' in the log')
}

# --- the service ---
$service = Get-WmiObject -Class Win32_Service -Filter "Name='kmem_exporter'"
if (-not $service) { Skip-This 'the service' 'kmem_exporter is not installed as one' }
else {
    Confirm-That ($service.State -eq 'Running') 'the service runs' 'Running' $service.State
    Confirm-That ($service.StartName -like '*LocalService') 'its account' 'LocalService' $service.StartName
    Confirm-That ($service.PathName.StartsWith('"')) 'its program stands in quotes' '"...' $service.PathName
    # SERVICE_FAILURE_ACTIONS as the service manager keeps it: the number of actions at 12, type (1: restart) and delay from 20 on.
    $actions = (Get-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Services\kmem_exporter').FailureActions
    $restarts = 0
    if ($actions -and $actions.Length -ge 20) {
        for ($i = 0; $i -lt $actions[12] -and 20 + 8 * $i -lt $actions.Length; $i++) { if ($actions[20 + 8 * $i] -eq 1) { $restarts += 1 } }
    }
    Confirm-That ($restarts -eq 3) 'it restarts after failures' '3 times' $restarts
    $told = @(Get-EventLog -LogName Application -Source kmem_exporter -Newest 1 -ErrorAction SilentlyContinue)
    if ($told.Count -eq 0) { Confirm-That $false 'the Application log has an event of it' 'msg=' 'none' }
    else {
        # Without its text an event says so in the words of Windows' language, with ours at the end.
        $text = $told[0].Message
        Confirm-That ($text -match '^\s*(time=\S+ +)?(level=\S+ +)?msg=') 'its events have their text' 'msg=' $text
    }
    $folder = Join-Path ([Environment]::GetFolderPath('CommonApplicationData')) 'kmem_exporter'
    $rights = $null
    try {
        $list = Get-Acl -Path $folder -ErrorAction SilentlyContinue
        $rights = $list.GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])
    } catch { $rights = $null }
    if ($null -eq $rights) { Skip-This 'Users have no right to the configuration folder' ('no access list of ' + $folder) }
    else {
        # Everyone, Authenticated Users, Interactive, Users.
        $everybody = @('S-1-1-0', 'S-1-5-11', 'S-1-5-4', 'S-1-5-32-545')
        $readers = @($rights | Where-Object { $everybody -contains $_.IdentityReference.Value } |
            Where-Object { ('' + $_.AccessControlType) -eq 'Allow' })
        Confirm-That ($readers.Count -eq 0) 'Users have no right to the configuration folder' 0 $readers.Count
    }
}

Write-Line ''
if ($script:counted -eq 0) { Write-Line 'not one counter of Windows could be read: nothing is proven' }
Write-Line ('' + $script:compared + ' compared, ' + $script:skipped + ' skipped, ' + $script:differing + ' differ')
if ($script:differing -gt 0 -or $script:counted -eq 0) { $script:exitCode = 1 }
}

Start-SelfCheck
if ($MyInvocation.MyCommand.Path) { exit $script:exitCode }
('exit code ' + $script:exitCode)
