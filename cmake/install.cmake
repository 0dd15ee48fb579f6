# Install rules: headers under include/effnet, the package under share/cmake/effnet. Nothing in it
# depends on the machine or on where the prefix lies. Each component has its own export file, read
# only when it is asked for, so that a user of effnet::effnet needs Eigen and no more.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(effnet_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/effnet)

foreach(name effnet ${effnet_components})
  install(TARGETS effnet_${name} EXPORT effnet_${name}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT effnet_${name} NAMESPACE effnet:: FILE ${name}-targets.cmake
    DESTINATION ${effnet_package_dir})
endforeach()

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/effnet-config.cmake.in ${PROJECT_BINARY_DIR}/effnet-config.cmake
  INSTALL_DESTINATION ${effnet_package_dir}
  NO_SET_AND_CHECK_MACRO)
# 0.1 and 0.2 may differ in their interface, as usual below 1.0.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/effnet-config-version.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  ${PROJECT_BINARY_DIR}/effnet-config.cmake
  ${PROJECT_BINARY_DIR}/effnet-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/components.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FindCUDNN.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FindOneDNN.cmake
  DESTINATION ${effnet_package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
