# Rscript make_cases.R > cases.jsonl, in this folder: weighted log-rank tests by their formulas, since no function of survival has these
# weights. See README.md for the tolerances.
library(survival)
source("../case_writer.R")

# One table for each event time: a row of n and d for each group, filled by counting people. `weight` sees the pooled columns.
weighted <- function(time, event, group, weight) {
  at <- sort(unique(time[event == 1])); groups <- sort(unique(group))
  n <- outer(at, groups, Vectorize(function(t, g) sum(time >= t & group == g)))
  d <- outer(at, groups, Vectorize(function(t, g) sum(time == t & event == 1 & group == g)))
  N <- rowSums(n); D <- rowSums(d); w <- weight(N, D)
  u <- colSums(w * (d - D * n / N))
  v <- matrix(0, length(groups), length(groups))
  for (i in seq_along(at)) if (N[i] > 1) {
    share <- n[i, ] / N[i]
    v <- v + w[i]^2 * D[i] * (N[i] - D[i]) / (N[i] - 1) * (diag(share) - outer(share, share))
  }
  rest <- -length(groups)
  chi_square <- drop(u[rest] %*% solve(v[rest, rest, drop = FALSE], u[rest]))
  list(groups = groups, u = u, v = v, chi_square = chi_square, df = length(groups) - 1,
       p = pchisq(chi_square, length(groups) - 1, lower.tail = FALSE))
}

weights <- list(gehan_breslow = function(n, d) n, tarone_ware = function(n, d) sqrt(n),
                modified_peto_peto = function(n, d) cumprod(1 - d / (n + 1)))

cases <- function(name, table, group, where = NULL) {
  # The same code without weights must be survdiff, which was written by somebody else.
  plain <- weighted(table$time, table$event, table[[group]], function(n, d) rep(1, length(n)))
  other <- survdiff(as.formula(paste("Surv(time, event) ~", group)), table)$chisq
  stopifnot(abs(plain$chi_square / other - 1) < 1e-12)
  for (weight in names(weights)) {
    test <- weighted(table$time, table$event, table[[group]], weights[[weight]])
    expect <- list(value("chi_square", test$chi_square, 1e-11), value("df", test$df, 0), value("p", test$p, 1e-10))
    options <- list(weight = weight)
    if (length(test$groups) == 2) {
      expect <- c(expect, list(value("z", test$u[2] / sqrt(test$v[2, 2]), 1e-11)))
      options$difference <- list(level = test$groups[2], minus = test$groups[1])
    }
    write_case(paste(name, "weighted_log_rank", weight, sep = "."), "weighted_log_rank", sprintf("%s/%s.csv", name, name),
               list(time = "time", event = "event", group = group), expect,
               "formulas of make_cases.R, which give survdiff's chi-square when every weight is 1", options, where)
  }
}

read <- function(name) read.csv(sprintf("../%s/%s.csv", name, name), colClasses = "character")
typed <- function(name) { table <- read(name); table$time <- as.numeric(table$time); table$event <- as.numeric(table$event); table }
cases("lung", typed("lung"), "sex")
cases("veteran", typed("veteran"), "trt")
colon <- typed("colon")
cases("colon", colon[colon$etype == "2", ], "rx", list(list(column = "etype", is = "2")))
