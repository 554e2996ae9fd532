# What an attacker of a network daemon meets besides the code, as far as the linker gives it: tests/e2e/hardening_test.py reads
# the finished program's headers. Control flow guard is not there: GNU's tools have none for Windows.
if(WIN32)
  add_link_options(-Wl,--dynamicbase,--nxcompat)
  if(CMAKE_SIZEOF_VOID_P EQUAL 8)
    add_link_options(-Wl,--high-entropy-va)
  endif()
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
