# Rscript make_cases.R > cases.jsonl, in this folder: Rubin's rules by mice's pool.scalar. See README.md for the tolerances.
source("../case_writer.R")
suppressMessages(library(mice))
source_of <- function(call) sprintf("R %s; mice %s; %s", getRversion(), packageVersion("mice"), call)

# pool.scalar sets lambda to 1e-4 at least, so the sets keep above it.
sets <- list(
  five = list(q = c(-2.1, -1.7, -2.6, -2, -1.9), u = c(0.81, 0.77, 0.9, 0.84, 0.8), df = 69),
  two = list(q = c(0.4, 1.1), u = c(0.05, 0.04), df = 12.5),
  mostly_missing = list(q = c(10, -7, 3, 25, -14, 6), u = c(1, 2, 1.5, 0.5, 1, 2), df = 200),
  hardly_missing = list(q = c(0.31, 0.3, 0.32, 0.305, 0.295, 0.3), u = c(0.01, 0.011, 0.01, 0.0105, 0.01, 0.0102), df = 30),
  large_sample = list(q = c(1.2, 1.5, 0.9, 1.3), u = c(0.2, 0.25, 0.22, 0.21), df = Inf))
for (name in names(sets)) {
  s <- sets[[name]]
  pooled <- pool.scalar(s$q, s$u, n = s$df + 1, k = 1)
  large <- pool.scalar(s$q, s$u, n = Inf)$df
  t <- pooled$qbar / sqrt(pooled$t)
  half <- qt(0.95, pooled$df) * sqrt(pooled$t)
  expect <- list(value("estimate", pooled$qbar, 1e-13), value("se", sqrt(pooled$t), 1e-13), value("df", pooled$df, 1e-12),
                 value("df_large_sample", large, 1e-12), value("lambda", pooled$r / (1 + pooled$r), 1e-12),
                 value("p", 2 * pt(-abs(t), pooled$df), 1e-10), value("lower", pooled$qbar - half, 1e-10), value("upper", pooled$qbar + half, 1e-10))
  options <- list(estimates = as.list(s$q), variances = as.list(s$u), level = 0.9)
  if (is.finite(s$df)) options$complete_data_df <- s$df
  write_case(paste0("rubin.", name), "rubin", NULL, NULL, expect, "pool.scalar(estimates, variances, n = complete_data_df + 1, k = 1)", options)
}
