# Rooms: one folder, one static library, one test binary. Sources are globbed, so adding a file touches no build file.

add_library(equipoise_options INTERFACE)
target_include_directories(equipoise_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(equipoise_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers
  # GCC 12 sees overlaps in std::string + char const* that are not there (GCC bug 105651)
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  -march=x86-64-v3 -ffp-contract=off -fno-math-errno)
target_compile_definitions(equipoise_options INTERFACE _GLIBCXX_ASSERTIONS)
if(EQUIPOISE_SANITIZE)
  target_compile_options(equipoise_options INTERFACE -fsanitize=${EQUIPOISE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(equipoise_options INTERFACE -fsanitize=${EQUIPOISE_SANITIZE})
endif()

find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
target_link_libraries(equipoise_options INTERFACE fmt::fmt tl::expected)
if(EQUIPOISE_TESTS)
  find_package(GTest REQUIRED)
endif()

# Tests run in the root of the repository, where the paths of examples/ and of the data beside the repository start.
function(equipoise_test NAME)
  add_test(NAME ${NAME} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endfunction()

# equipoise_room(NAME USES room... [LIBRARIES target...] [TEST_LIBRARIES target...] [PROGRAM binary])
# A room with a PROGRAM has a main.cpp, which is linked to that binary at the top of the build folder.
# The order of rooms and what each may use is the table of docs/rooms.md; scripts/check_rooms.py reads these lines and the includes.
function(equipoise_room NAME)
  cmake_parse_arguments(ROOM "" "PROGRAM" "USES;LIBRARIES;TEST_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE SOURCES CONFIGURE_DEPENDS ${NAME}/*.cpp)
  file(GLOB_RECURSE TESTS CONFIGURE_DEPENDS ${NAME}/*_test.cpp)
  file(GLOB_RECURSE BENCHES CONFIGURE_DEPENDS ${NAME}/*_bench.cpp)
  list(REMOVE_ITEM SOURCES ${TESTS} ${BENCHES})
  if(ROOM_PROGRAM)
    list(REMOVE_ITEM SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/${NAME}/main.cpp)
  endif()
  list(TRANSFORM ROOM_USES PREPEND equipoise_ OUTPUT_VARIABLE USED)
  if(NOT SOURCES)
    return()
  endif()

  add_library(equipoise_${NAME} STATIC ${SOURCES})
  target_link_libraries(equipoise_${NAME} PUBLIC equipoise_options ${USED} PRIVATE ${ROOM_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY EQUIPOISE_ROOMS equipoise_${NAME})

  if(ROOM_PROGRAM)
    target_compile_definitions(equipoise_${NAME} PUBLIC EQUIPOISE_VERSION="${PROJECT_VERSION}")
    add_executable(${ROOM_PROGRAM} ${NAME}/main.cpp)
    target_link_libraries(${ROOM_PROGRAM} PRIVATE equipoise_${NAME} ${ROOM_LIBRARIES})
    set_target_properties(${ROOM_PROGRAM} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  endif()

  if(EQUIPOISE_BENCH)
    foreach(SOURCE IN LISTS BENCHES)  # X_bench.cpp is a program of its own
      cmake_path(GET SOURCE STEM BENCH)
      add_executable(${BENCH} ${SOURCE})
      target_link_libraries(${BENCH} PRIVATE equipoise_${NAME} ${ROOM_LIBRARIES})
      set_target_properties(${BENCH} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
    endforeach()
  endif()

  if(EQUIPOISE_TESTS AND TESTS)
    add_executable(${NAME}_test ${TESTS})
    target_link_libraries(${NAME}_test PRIVATE equipoise_${NAME} ${ROOM_LIBRARIES} ${ROOM_TEST_LIBRARIES} GTest::gmock GTest::gtest_main)
    equipoise_test(${NAME} ${NAME}_test)
  endif()
endfunction()
