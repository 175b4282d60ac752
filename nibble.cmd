@echo off
rem Starts Nibble on Windows as the script `nibble` does elsewhere: finds a JDK 25, builds Nibble on first use or when its
rem sources have changed, and runs it. NIBBLE_JAVA_HOME names the JDK to use; NIBBLE_OPTS holds further options for the JVM,
rem such as -Xmx8g, and NIBBLE_MAVEN for the build, such as -Pnd4j-cuda.
setlocal EnableExtensions DisableDelayedExpansion
set "root=%~dp0"
set "root=%root:~0,-1%"
set "target=%root%\cli\target"
set "built=%target%\nibble.built"
set "log=%target%\build.log"

rem CUDA counts devices by their speed unless it is told to count them as nvidia-smi does.
if not defined CUDA_DEVICE_ORDER set "CUDA_DEVICE_ORDER=PCI_BUS_ID"

set "jdk="
if defined NIBBLE_JAVA_HOME call :try "%NIBBLE_JAVA_HOME%"
if defined JAVA_HOME call :try "%JAVA_HOME%"
for /f "delims=" %%j in ('where java 2^>nul') do call :try "%%~dpj.."
for /d %%d in ("%ProgramFiles%\Eclipse Adoptium\*" "%ProgramFiles%\Java\*" "%ProgramFiles%\Microsoft\jdk*" ^
  "%ProgramFiles%\Zulu\*" "%ProgramFiles%\Amazon Corretto\*" "%LOCALAPPDATA%\Programs\Eclipse Adoptium\*" ^
  "%USERPROFILE%\.jdks\*") do call :try "%%~d"
if not defined jdk goto nojdk

rem What cmd cannot see, as bits of an exit code: 1 for sources that are newer than the build or another NIBBLE_MAVEN,
rem 2 for output to a console, 4 for input from elsewhere. An installation without sources has nothing to build.
powershell -NoProfile -NonInteractive -Command "$code = 0; if (-not [Console]::IsOutputRedirected) { $code += 2 }; if ([Console]::IsInputRedirected) { $code += 4 }; if (Test-Path -LiteralPath ($env:root + '\compute\src')) { $built = Get-Item -LiteralPath $env:built -ErrorAction SilentlyContinue; if (-not $built -or [IO.File]::ReadAllText($env:built) -cne [string]$env:NIBBLE_MAVEN) { $code += 1 } else { $sources = @($env:root + '\pom.xml'); foreach ($m in 'errors', 'compute', 'quant', 'adapters', 'jinja', 'data', 'trainer', 'recipes', 'api', 'cli') { $sources += ($env:root + '\' + $m + '\pom.xml'); $sources += ($env:root + '\' + $m + '\src\main') }; if (Get-ChildItem -LiteralPath $sources -Recurse -File | Where-Object { $_.LastWriteTimeUtc -gt $built.LastWriteTimeUtc } | Select-Object -First 1) { $code += 1 } } }; exit $code"
set "seen=%errorlevel%"
if %seen% gtr 7 goto nopowershell
set /a "stale=seen & 1, console=seen & 2, elsewhere=seen & 4"
if %stale% neq 0 call :build || exit /b 1

set "options="
for /f "usebackq delims=" %%o in ("%target%\nibble.jvm") do set "options=%%o"
rem Only Windows Terminal says that it understands the codes which erase a line.
set "terminal=false"
if %console% neq 0 if defined WT_SESSION set "terminal=true"
set "piped=false"
if %elsewhere% neq 0 set "piped=true"

rem Nibble writes UTF-8. The console gets its own code page back afterwards.
set "page="
for /f "tokens=2 delims=:." %%p in ('chcp') do set "page=%%p"
chcp 65001 >nul
"%jdk%\bin\java.exe" %options% -Dnibble.terminal=%terminal% -Dnibble.piped=%piped% %NIBBLE_OPTS% -cp "%target%\classes;%target%\lib\*" dev.nibble.cli.Main %*
set "code=%errorlevel%"
if defined page chcp %page% >nul
exit /b %code%

:try
if defined jdk exit /b 0
if not exist "%~1\bin\java.exe" exit /b 0
findstr /r /c:"^JAVA_VERSION=.25[^0-9]" "%~1\release" >nul 2>nul && set "jdk=%~1"
exit /b 0

:build
where mvn >nul 2>nul || goto nomaven
set "why=first use. Maven downloads up to 350 MB of libraries, once, and compiles for a few minutes"
if exist "%built%" set "why=its sources or NIBBLE_MAVEN have changed"
echo Building Nibble: %why%. Log: %log% 1>&2
if not exist "%target%" mkdir "%target%"
rem Jars of versions that are used no more.
if exist "%target%\lib" rmdir /s /q "%target%\lib"
set "commit="
if exist "%root%\.git" for /f "delims=" %%c in ('git -C "%root%" describe --always "--abbrev=40" --dirty --exclude "*" 2^>nul') do set "commit=%%c"
rem JDK 25 compiles, whatever JDK runs Maven: the toolchain plugin finds it, also by this variable.
set "JAVA25_HOME=%jdk%"
call mvn -B -f "%root%\pom.xml" -pl cli -am -Dmaven.test.skip=true "-Dgit.commit=%commit%" %NIBBLE_MAVEN% package >"%log%" 2>&1
if errorlevel 1 goto failed
<nul >"%built%" set /p "=%NIBBLE_MAVEN%"
exit /b 0

:failed
findstr /b /l /c:"[ERROR]" "%log%" 1>&2 || type "%log%" 1>&2
echo The build failed; the whole log is in %log% 1>&2
exit /b 1

:nomaven
echo Nibble is built with Maven 3.8.7 or newer, and there is no mvn on the PATH. 1>&2
echo Get it from https://maven.apache.org/download.cgi 1>&2
exit /b 1

:nojdk
echo Nibble needs a JDK 25 and found none: looked in NIBBLE_JAVA_HOME, JAVA_HOME, PATH and the usual folders. 1>&2
echo Install one with: winget install EclipseAdoptium.Temurin.25.JDK 1>&2
echo or point NIBBLE_JAVA_HOME at the folder of one. 1>&2
exit /b 1

:nopowershell
echo Nibble needs powershell on the PATH to look at its files. 1>&2
exit /b 1
