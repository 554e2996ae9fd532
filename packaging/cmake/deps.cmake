# Third-party libraries, one declaration for every situation:
#  - system packages or vcpkg (native builds): find_package wins
#  - unpacked sources under KMEM_DEPS_DIR (cross builds; packaging/fetch-sources.sh fills it)
#  - neither: FetchContent downloads the pinned release
# cpp-httplib is header only and pinned: 0.18.7 is the newest that compiles for NT 5.2.
include(FetchContent)
set(KMEM_DEPS_DIR "" CACHE PATH "directory of unpacked sources: cpp-httplib, and for cross builds the rest")
option(KMEM_HTTPLIB_UPSTREAM "take cpp-httplib as its author released it where no patched one is at hand" OFF)
option(KMEM_DEPS_FROM_SOURCE "build the sources in KMEM_DEPS_DIR even where installed packages exist"
       ${CMAKE_CROSSCOMPILING})
set(from_source cpp-httplib)
if(KMEM_DEPS_FROM_SOURCE)
  list(APPEND from_source prometheus-cpp yaml-cpp spdlog fmtlib cli11 nlohmann-json3 googletest)
endif()
if(KMEM_DEPS_DIR)
  foreach(name ${from_source})
    if(EXISTS "${KMEM_DEPS_DIR}/${name}")
      string(TOUPPER ${name} upper)
      string(REPLACE NLOHMANN-JSON3 NLOHMANN_JSON upper ${upper})  # the name its package config insists on
      set(FETCHCONTENT_SOURCE_DIR_${upper} "${KMEM_DEPS_DIR}/${name}" CACHE PATH "" FORCE)
    endif()
  endforeach()
endif()

set(BUILD_SHARED_LIBS OFF)
set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
foreach(option ENABLE_PULL ENABLE_PUSH ENABLE_COMPRESSION ENABLE_TESTING USE_THIRDPARTY_LIBRARIES
        YAML_CPP_BUILD_TESTS YAML_CPP_BUILD_TOOLS YAML_CPP_BUILD_CONTRIB YAML_CPP_INSTALL INSTALL_GTEST
        SPDLOG_BUILD_EXAMPLE SPDLOG_INSTALL FMT_INSTALL FMT_TEST FMT_DOC
        CLI11_BUILD_TESTS CLI11_BUILD_EXAMPLES CLI11_BUILD_DOCS CLI11_INSTALL CLI11_SINGLE_FILE
        JSON_BuildTests JSON_Install)
  set(${option} OFF CACHE BOOL "" FORCE)
endforeach()
set(SPDLOG_FMT_EXTERNAL ON CACHE BOOL "" FORCE)
set(JSON_SystemInclude ON CACHE BOOL "" FORCE)

FetchContent_Declare(prometheus-cpp GIT_REPOSITORY https://github.com/jupp0r/prometheus-cpp.git GIT_TAG v1.0.1
                     GIT_SUBMODULES "" FIND_PACKAGE_ARGS CONFIG COMPONENTS core)
FetchContent_Declare(yaml-cpp GIT_REPOSITORY https://github.com/jbeder/yaml-cpp.git GIT_TAG yaml-cpp-0.7.0
                     FIND_PACKAGE_ARGS CONFIG)
FetchContent_Declare(fmtlib GIT_REPOSITORY https://github.com/fmtlib/fmt.git GIT_TAG 9.1.0 FIND_PACKAGE_ARGS NAMES fmt)
FetchContent_Declare(spdlog GIT_REPOSITORY https://github.com/gabime/spdlog.git GIT_TAG v1.10.0
                     FIND_PACKAGE_ARGS CONFIG)
FetchContent_Declare(cli11 GIT_REPOSITORY https://github.com/CLIUtils/CLI11.git GIT_TAG v2.1.2
                     FIND_PACKAGE_ARGS NAMES CLI11)
FetchContent_Declare(nlohmann_json GIT_REPOSITORY https://github.com/nlohmann/json.git GIT_TAG v3.11.2
                     FIND_PACKAGE_ARGS CONFIG)
# 0.18.7 as released lacks fixes that the distribution's package has. None of them is reachable here (SECURITY.md),
# but who builds it should know.
if(NOT FETCHCONTENT_SOURCE_DIR_CPP-HTTPLIB AND NOT KMEM_HTTPLIB_UPSTREAM)
  message(FATAL_ERROR "no patched cpp-httplib: packaging/fetch-sources.sh DIR cpp-httplib and -DKMEM_DEPS_DIR=DIR get "
                      "the one of Debian 13; -DKMEM_HTTPLIB_UPSTREAM=ON takes the upstream release, see "
                      "packaging/SECURITY.md")
endif()
FetchContent_Declare(cpp-httplib GIT_REPOSITORY https://github.com/yhirose/cpp-httplib.git GIT_TAG v0.18.7
                     SOURCE_SUBDIR none)  # header only
FetchContent_Declare(googletest GIT_REPOSITORY https://github.com/google/googletest.git GIT_TAG release-1.12.1
                     FIND_PACKAGE_ARGS NAMES GTest)

# A tag can be moved; the file cannot.
set(kmem_httplib_sha256 4770f8ea3d3fcd27b0b713c783d9b53bce3baddbd5adad13714011df96142526)
# Their warnings are theirs.
set(KMEM_OUTER_FLAGS "${CMAKE_CXX_FLAGS}")
set(CMAKE_CXX_FLAGS "${CMAKE_CXX_FLAGS} -w")
FetchContent_MakeAvailable(fmtlib)
FetchContent_MakeAvailable(prometheus-cpp yaml-cpp spdlog cli11 nlohmann_json cpp-httplib)
if(BUILD_TESTING)
  FetchContent_MakeAvailable(googletest)
endif()
set(CMAKE_CXX_FLAGS "${KMEM_OUTER_FLAGS}")
if(NOT FETCHCONTENT_SOURCE_DIR_CPP-HTTPLIB)
  file(SHA256 "${cpp-httplib_SOURCE_DIR}/httplib.h" downloaded)
  if(NOT downloaded STREQUAL kmem_httplib_sha256)
    message(FATAL_ERROR "the cpp-httplib that was downloaded is not the 0.18.7 that was looked at: its SHA-256 is ${downloaded}")
  endif()
endif()

if(NOT TARGET yaml-cpp::yaml-cpp)  # 0.7.0 as installed exports a plain name
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()
# Debian and Ubuntu change the names of these libraries from suite to suite: with them inside, one package fits all.
add_library(kmem_spdlog INTERFACE)
add_library(kmem_yaml INTERFACE)
find_library(KMEM_YAML_ARCHIVE libyaml-cpp.a)
mark_as_advanced(KMEM_YAML_ARCHIVE)
get_target_property(is_installed yaml-cpp::yaml-cpp IMPORTED)
if(KMEM_YAML_ARCHIVE AND is_installed)
  target_include_directories(kmem_yaml SYSTEM INTERFACE $<TARGET_PROPERTY:yaml-cpp::yaml-cpp,INTERFACE_INCLUDE_DIRECTORIES>)
  target_link_libraries(kmem_yaml INTERFACE "${KMEM_YAML_ARCHIVE}")
else()
  target_link_libraries(kmem_yaml INTERFACE yaml-cpp::yaml-cpp)
endif()
get_target_property(is_installed spdlog::spdlog IMPORTED)
if(is_installed)
  target_include_directories(kmem_spdlog SYSTEM INTERFACE $<TARGET_PROPERTY:spdlog::spdlog,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_definitions(kmem_spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
  target_link_libraries(kmem_spdlog INTERFACE fmt::fmt-header-only Threads::Threads)
else()
  target_link_libraries(kmem_spdlog INTERFACE spdlog::spdlog)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)  # from 20 on it warns of what fmt's header does
    target_include_directories(kmem_spdlog SYSTEM INTERFACE $<TARGET_PROPERTY:spdlog,INTERFACE_INCLUDE_DIRECTORIES>
                               $<TARGET_PROPERTY:fmt,INTERFACE_INCLUDE_DIRECTORIES>)
  endif()
endif()
find_package(Threads REQUIRED)
set(ZLIB_USE_STATIC_LIBS ${WIN32})
if(MINGW_ARCH STREQUAL "aarch64")  # no package has it; its own CMakeLists.txt would change the sources
  file(GLOB zlib_sources "${KMEM_DEPS_DIR}/zlib/*.c")
  add_library(kmem_zlib STATIC ${zlib_sources})
  target_compile_options(kmem_zlib PRIVATE -w)
  target_include_directories(kmem_zlib SYSTEM INTERFACE "${KMEM_DEPS_DIR}/zlib")
  add_library(ZLIB::ZLIB ALIAS kmem_zlib)
else()
  find_package(ZLIB REQUIRED)
endif()

# Google's name for gtest differs between an installed package and a source build.
if(BUILD_TESTING AND NOT TARGET GTest::gmock)
  add_library(GTest::gmock ALIAS gmock)
  add_library(GTest::gtest ALIAS gtest)
endif()

add_library(kmem_httplib INTERFACE)
target_include_directories(kmem_httplib SYSTEM INTERFACE "${cpp-httplib_SOURCE_DIR}")
target_link_libraries(kmem_httplib INTERFACE Threads::Threads)
if(WIN32)
  target_link_libraries(kmem_httplib INTERFACE ws2_32)
endif()
