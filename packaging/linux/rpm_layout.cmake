# Before CPack makes the RPM: Fedora's family has its places where Debian's differ. Nothing for the other generators.
if(CPACK_GENERATOR STREQUAL "RPM")
  set(share "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share")
  file(RENAME "${share}/zsh/vendor-completions" "${share}/zsh/site-functions")
  # Debian's copyright names a file of Debian for the licence.
  file(REMOVE "${share}/doc/kmem-exporter/copyright" "${share}/doc/kmem-exporter/changelog.gz")
  file(MAKE_DIRECTORY "${share}/licenses/kmem-exporter")
  file(COPY "${CMAKE_CURRENT_LIST_DIR}/../../LICENSE" DESTINATION "${share}/licenses/kmem-exporter")
  file(RENAME "${share}/doc/kmem-exporter/THIRD_PARTY_NOTICES" "${share}/licenses/kmem-exporter/THIRD_PARTY_NOTICES")
endif()
