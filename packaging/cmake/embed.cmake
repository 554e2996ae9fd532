# Writes files down as C++ constants: cmake -DOUTPUT=x.cpp -DASSETS=a;b -DRUNBOOKS=c;d -P embed.cmake
# An asset keeps its name, a runbook loses its extension; both are found by that name (exporter/page/files.h).
set(tables "")
set(count 0)
set(code "#include \"exporter/page/files.h\"\n\nnamespace kmem::page {\nnamespace {\n")
foreach(kind Assets Runbooks)
  string(TOUPPER ${kind} variable)
  set(rows "")
  foreach(path ${${variable}})
    file(READ "${path}" bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
    get_filename_component(name "${path}" NAME)
    if(kind STREQUAL "Runbooks")
      get_filename_component(name "${path}" NAME_WE)
    endif()
    string(APPEND code "constexpr char kFile${count}[] = {${bytes}};\n")
    string(APPEND rows "    {\"${name}\", {kFile${count}, sizeof kFile${count}}},\n")
    math(EXPR count "${count} + 1")
  endforeach()
  # An array cannot be empty: one more row ends it.
  string(APPEND tables "constexpr File k${kind}[] = {\n${rows}    {}};\n")
endforeach()
string(APPEND code "${tables}}  // namespace\n
std::span<const File> assets() { return std::span(kAssets).first(std::size(kAssets) - 1); }
std::span<const File> runbooks() { return std::span(kRunbooks).first(std::size(kRunbooks) - 1); }
\n}  // namespace kmem::page\n")
file(WRITE "${OUTPUT}" "${code}")
