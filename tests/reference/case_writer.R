# Writes reference cases as JSON Lines, with base R only. Sourced by the make_cases.R of a folder.
quoted <- function(x) paste0('"', gsub('"', '\\\\"', gsub("\\\\", "\\\\\\\\", x)), '"')

# The shortest text that reads back as the same double.
digits <- function(x) {
  for (n in 6:17) if (as.numeric(text <- sprintf("%.*g", n, x)) == x) return(text)
}

# A named list is an object, an unnamed list an array; single texts, numbers and truths are themselves.
json <- function(x) {
  if (is.null(x)) return("null")
  if (is.list(x) && !is.null(names(x)))
    return(paste0("{", paste0(quoted(names(x)), ": ", vapply(x, json, ""), collapse = ", "), "}"))
  if (is.list(x)) return(paste0("[", paste(vapply(x, json, ""), collapse = ", "), "]"))
  if (is.character(x)) return(quoted(x))
  if (is.logical(x)) return(if (x) "true" else "false")
  digits(x)
}

# One expected value.
value <- function(quantity, value, rel_tol, at = NULL) {
  cell <- list(quantity = quantity)
  if (!is.null(at)) cell$at <- at
  c(cell, list(value = if (is.na(value)) "NE" else value, rel_tol = rel_tol))
}

source_of <- function(call) {
  package <- if ("package:survival" %in% search()) paste("survival", packageVersion("survival")) else "stats"
  paste0("R ", getRversion(), "; ", package, "; ", call)
}

write_case <- function(id, method, data, roles, expect, call, options = NULL, where = NULL) {
  case <- list(id = id, method = method, data = data)
  if (!is.null(where)) case$where <- where
  case$roles <- roles
  if (!is.null(options)) case$options <- options
  case$expect <- lapply(seq_along(expect), function(i) c(list(id = sprintf("%s/%d", id, i)), expect[[i]]))
  case$source <- source_of(call)
  cat(json(case), "\n", sep = "")
}
