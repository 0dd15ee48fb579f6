# effnet_compile_command: how a source file that uses every component is compiled, for what calls the
# compiler by itself (as an argument list of add_test or add_custom_target, with
# COMMAND_EXPAND_LISTS). Not set where a component is left out.

if(TARGET effnet::cpu AND TARGET effnet::io)
  # Never built: it only carries the usage requirements.
  add_library(all_components OBJECT EXCLUDE_FROM_ALL
    ${PROJECT_SOURCE_DIR}/benchmarks/compile_time.cpp)
  target_link_libraries(all_components PRIVATE effnet::cpu effnet::io)
  set(effnet_compile_command ${CMAKE_CXX_COMPILER} -std=c++20 ${OpenMP_CXX_FLAGS}
    "-I$<JOIN:$<TARGET_PROPERTY:all_components,INCLUDE_DIRECTORIES>,$<SEMICOLON>-I>")
endif()
