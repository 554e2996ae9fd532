# Windows on ARM64 by Zig's clang, libc++ and mingw-w64 (packaging/windows/get-zig.sh). The floor is Windows 10, the first
# that ran there.
set(MINGW_ARCH aarch64)
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR ARM64)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES KMEM_DEPS_DIR)
set(tools "${KMEM_DEPS_DIR}/zig/bin/aarch64-w64-mingw32-")
set(CMAKE_C_COMPILER "${tools}gcc")
set(CMAKE_CXX_COMPILER "${tools}g++")
set(CMAKE_AR "${tools}ar" CACHE STRING "")
set(CMAKE_RANLIB "${tools}ranlib" CACHE STRING "")
set(CMAKE_RC_COMPILER "${tools}rc")
set(CMAKE_RC_COMPILE_OBJECT "<CMAKE_RC_COMPILER> <DEFINES> <INCLUDES> <SOURCE> <OBJECT>")
# OpenSSL comes from packaging/windows/build-openssl.sh; nothing of this machine's fits.
set(CMAKE_FIND_ROOT_PATH ${CMAKE_PREFIX_PATH} "${KMEM_DEPS_DIR}/openssl-${MINGW_ARCH}")
foreach(kind LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
# Here is nothing that runs such a program.
set(CMAKE_CROSSCOMPILING_EMULATOR "" CACHE STRING "")
