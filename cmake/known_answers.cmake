# Known answers (tests/reference/CASE/: cases.jsonl and the CSV files it names) inside a library, so that an installed binary can
# check itself. Assembler rather than C++: .incbin brings the bytes in unread, and compiler caches do not see what it includes.
function(equipoise_embed_known_answers TARGET)
  set(FOLDER ${CMAKE_SOURCE_DIR}/tests/reference)
  file(GLOB CASES CONFIGURE_DEPENDS ${FOLDER}/*/cases.jsonl)
  file(GLOB TABLES CONFIGURE_DEPENDS ${FOLDER}/*/*.csv)
  list(SORT CASES)
  list(SORT TABLES)

  set(CASE_BYTES "")
  foreach(FILE IN LISTS CASES)
    string(APPEND CASE_BYTES ".incbin \"${FILE}\"\n.ascii \"\\n\"\n")
  endforeach()
  set(TABLE_BYTES "")
  set(TABLE_ENTRIES "")
  set(I 0)
  foreach(FILE IN LISTS TABLES)
    file(RELATIVE_PATH NAME ${FOLDER} ${FILE})
    string(APPEND TABLE_BYTES "name${I}: .asciz \"${NAME}\"\nbegin${I}: .incbin \"${FILE}\"\nend${I}:\n")
    string(APPEND TABLE_ENTRIES ".quad name${I}, begin${I}, end${I}\n")
    math(EXPR I "${I} + 1")
  endforeach()
  set(ASSEMBLY ${CMAKE_CURRENT_BINARY_DIR}/known_answers_bytes.S)
  file(CONFIGURE OUTPUT ${ASSEMBLY} @ONLY CONTENT [[
.section .rodata
.globl equipoise_known_answer_cases
.globl equipoise_known_answer_cases_end
equipoise_known_answer_cases:
@CASE_BYTES@equipoise_known_answer_cases_end:
.byte 0
@TABLE_BYTES@
.section .data.rel.ro, "aw"
.balign 8
.globl equipoise_known_answer_tables
.globl equipoise_known_answer_tables_end
equipoise_known_answer_tables:
@TABLE_ENTRIES@equipoise_known_answer_tables_end:
.quad 0
.section .note.GNU-stack, "", @progbits
]])
  set_source_files_properties(${ASSEMBLY} PROPERTIES OBJECT_DEPENDS "${CASES};${TABLES}")
  target_sources(${TARGET} PRIVATE ${ASSEMBLY})
endfunction()
