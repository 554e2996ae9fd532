# `cpack` in the build folder makes the .deb: program, unit, configuration, documents. Maintainer scripts stand beside.
include(GNUInstallDirs)
set(linux "${PROJECT_SOURCE_DIR}/packaging/linux")
install(TARGETS kmem_exporter RUNTIME DESTINATION bin)
install(FILES "${linux}/kmem_exporter.service" "${linux}/kmem_exporter.socket" DESTINATION lib/systemd/system)
install(FILES "${linux}/kmem_exporter.yml" DESTINATION /etc/kmem_exporter)
install(FILES "${PROJECT_SOURCE_DIR}/README.md" DESTINATION share/doc/kmem-exporter)
install(FILES "${PROJECT_SOURCE_DIR}/config/kmem_exporter.yml" DESTINATION share/doc/kmem-exporter
        RENAME kmem_exporter.example.yml)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME kmem-exporter)  # a Debian package's name has no underscore
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "kmem_exporter maintainers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd, init-system-helpers")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${linux}/postinst" "${linux}/prerm" "${linux}/postrm" "${linux}/conffiles")
include(CPack)
