# One target a folder: rondo_folder(data DEPENDS base text tensor LIBRARIES ZLIB::ZLIB).
# The edges repeat tools/layers.txt, which tools/check_layers.py holds against the includes.
# Designated initialisers name what matters; the rest keeps its default, which -Wextra would call missing.
set(RONDO_WARNINGS -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers)

# -ffp-contract=off: a*b+c may become a fused multiply-add only where the code says so; the
# compiler's own choice would change with its version, and the bits with it.
function(rondo_compile_options target)
  target_compile_options(${target} PRIVATE ${RONDO_WARNINGS} -ffp-contract=off)
  if(RONDO_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${RONDO_SANITIZE} -fno-omit-frame-pointer -g1)
    target_link_options(${target} PUBLIC -fsanitize=${RONDO_SANITIZE})
  endif()
endfunction()

function(rondo_folder folder)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cc)
  if(NOT sources)
    add_library(rondo_${name} INTERFACE)
    set(scope INTERFACE)
  else()
    add_library(rondo_${name} STATIC ${sources})
    rondo_compile_options(rondo_${name})
    set(scope PUBLIC)
    set_property(GLOBAL APPEND PROPERTY RONDO_FOLDERS rondo_${name})
  endif()
  target_include_directories(rondo_${name} ${scope} ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ARG_DEPENDS REPLACE "/" "_")
  list(TRANSFORM ARG_DEPENDS PREPEND "rondo_")
  target_link_libraries(rondo_${name} ${scope} ${ARG_DEPENDS} ${ARG_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY RONDO_LIBRARIES ${ARG_LIBRARIES})
endfunction()

# rondo_test(text DEPENDS text): tests/text/*_test.cc as one program, one CTest entry a TEST.
# A test whose name ends in Slow goes to the label "slow", all others to "unit".
function(rondo_test folder)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  rondo_compile_options(${name}_test)
  target_include_directories(${name}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  list(TRANSFORM ARG_DEPENDS REPLACE "/" "_")
  list(TRANSFORM ARG_DEPENDS PREPEND "rondo_")
  target_link_libraries(${name}_test PRIVATE ${ARG_DEPENDS} ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name}_test PRIVATE RONDO_TESTS_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
  include(GoogleTest)
  gtest_discover_tests(${name}_test TEST_FILTER "-*Slow" DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 600)
  gtest_discover_tests(${name}_test TEST_FILTER "*Slow" TEST_LIST ${name}_slow DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS slow TIMEOUT 1800)
endfunction()
