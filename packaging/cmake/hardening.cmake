# What an attacker of a network daemon meets besides the code, as far as compiler and linker give it: tests/e2e/hardening_test.py reads
# the finished program's headers. On Windows it is the
# linker alone: GNU's tools have no control flow guard there, and a stack protector would want a library that old Windows lacks.
if(WIN32)
  add_link_options(-Wl,--dynamicbase,--nxcompat)
  if(CMAKE_SIZEOF_VOID_P EQUAL 8)
    add_link_options(-Wl,--high-entropy-va)
  endif()
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  if(NOT KMEM_SANITIZE)  # whose own checks find more
    set(optimised "$<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:")
    add_compile_options("${optimised}-fstack-protector-strong>" "${optimised}-fstack-clash-protection>"
                        "${optimised}-U_FORTIFY_SOURCE>" "${optimised}-D_FORTIFY_SOURCE=2>")
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
      add_compile_options("${optimised}-fcf-protection>")
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
      add_compile_options("${optimised}-mbranch-protection=standard>")
    endif()
  endif()
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
