# `cpack -G DEB` and `cpack -G RPM` in the build folder make the packages: program, unit, configuration, documents, manual page, completions. Maintainer scripts stand beside.
include(GNUInstallDirs)
set(linux "${PROJECT_SOURCE_DIR}/packaging/linux")
set(KMEM_CONTACT "kmem_exporter maintainers <maintainers@kmem-exporter.invalid>" CACHE STRING
    "who answers for the packages: NAME <ADDRESS>")
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(made "${PROJECT_BINARY_DIR}/package-files")
install(CODE "execute_process(COMMAND \"${Python3_EXECUTABLE}\" -B \"${linux}/package_files.py\" \"${PROJECT_BINARY_DIR}\"
  \"$<TARGET_FILE:kmem_exporter>\" \"${PROJECT_VERSION}\" \"${KMEM_CONTACT}\" \"${made}\" COMMAND_ERROR_IS_FATAL ANY)")
install(TARGETS kmem_exporter RUNTIME DESTINATION bin)
install(FILES "${linux}/kmem_exporter.service" "${linux}/kmem_exporter.socket" DESTINATION lib/systemd/system)
install(FILES "${linux}/kmem_exporter.yml" DESTINATION /etc/kmem_exporter)
install(FILES "${made}/README.md" "${made}/copyright" "${made}/changelog.gz" "${made}/THIRD_PARTY_NOTICES"
              "${made}/sbom.cdx.json" DESTINATION share/doc/kmem-exporter)
install(FILES "${made}/kmem_exporter.1.gz" DESTINATION share/man/man1)
install(FILES "${made}/completions.bash" DESTINATION share/bash-completion/completions RENAME kmem_exporter)
install(FILES "${made}/completions.zsh" DESTINATION share/zsh/vendor-completions RENAME _kmem_exporter)
install(FILES "${made}/completions.fish" DESTINATION share/fish/vendor_completions.d RENAME kmem_exporter.fish)
install(FILES "${PROJECT_SOURCE_DIR}/config/kmem_exporter.yml" DESTINATION share/doc/kmem-exporter
        RENAME kmem_exporter.example.yml)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME kmem-exporter)  # a Debian package's name has no underscore
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "${KMEM_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION "Shows the kernel's memory to Prometheus: slab caches, vmalloc, per-CPU
memory and commit, with label sets that stay the same for weeks. It keeps
eight weeks of history itself and says which cache leaks, how fast, since
when, and when the memory runs out.
.
The service runs as a user of its own with CAP_DAC_READ_SEARCH alone.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd, init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${linux}/postinst" "${linux}/prerm" "${linux}/postrm" "${linux}/conffiles")

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE "Apache-2.0")
set(CPACK_RPM_PACKAGE_GROUP "System Environment/Daemons")
set(CPACK_PRE_BUILD_SCRIPTS "${linux}/rpm_layout.cmake")
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/kmem_exporter/kmem_exporter.yml"
    "%license /usr/share/licenses/kmem-exporter/LICENSE" "%license /usr/share/licenses/kmem-exporter/THIRD_PARTY_NOTICES")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /lib /lib/systemd /usr/lib/systemd /usr/lib/systemd/system /usr/share/man
    /usr/share/man/man1 /usr/share/zsh /usr/share/zsh/site-functions /usr/share/fish /usr/share/fish/vendor_completions.d
    /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/licenses)
string(REPLACE "\n.\n" "\n\n" CPACK_RPM_PACKAGE_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_RPM_PACKAGE_VENDOR "${KMEM_CONTACT}")
set(CPACK_PACKAGE_RELOCATABLE FALSE)  # unit and scripts name the places
# CPack has stripped the program; once more by rpmbuild, and it is not the one that the SBOM is of.
set(CPACK_RPM_SPEC_MORE_DEFINE "%define __os_install_post %{nil}\n%define debug_package %{nil}")
set(CPACK_RPM_PACKAGE_REQUIRES_PRE "shadow-utils")
set(CPACK_RPM_PRE_INSTALL_SCRIPT_FILE "${linux}/rpm-pre")
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE "${linux}/rpm-post")
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE "${linux}/rpm-preun")
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE "${linux}/rpm-postun")
include(CPack)
