# Times R's survival on the columns of survival_bench: Rscript survival_peers.R FILE ROWS JOB RUNS. Prints what survival_bench prints.
suppressPackageStartupMessages(library(survival))
words <- commandArgs(trailingOnly = TRUE)
file <- words[1]; rows <- as.integer(words[2]); name <- words[3]; runs <- as.integer(words[4])

connection <- file(file, "rb")
numbers <- matrix(readBin(connection, "double", 7 * rows, size = 8, endian = "little"), rows)
arm <- factor(readBin(connection, "integer", rows, size = 4, endian = "little"))
close(connection)
time <- numbers[, 1]; event <- numbers[, 2]; x <- numbers[, 3:7]; colnames(x) <- paste0("x", 1:5)
rm(numbers)
asked <- c(2, 5, 10)
base <- name
if (endsWith(name, "_days")) {
  time <- ceiling(time * 365.25); asked <- asked * 365; base <- sub("_days$", "", name)
}

job <- switch(base,
  kaplan_meier = function() survfit(Surv(time, event) ~ arm),
  kaplan_meier_one = function() survfit(Surv(time, event) ~ 1),
  log_rank = function() survdiff(Surv(time, event) ~ arm),
  cox = {
    y <- Surv(time, event)
    function() coxph.fit(x, y, strata = NULL, offset = NULL, init = NULL, control = coxph.control(), weights = NULL,
                         method = "efron", rownames = NULL, resid = FALSE)
  },
  cox_formula = {
    data <- data.frame(time, event, x)
    function() coxph(Surv(time, event) ~ x1 + x2 + x3 + x4 + x5, data)
  },
  concordance = {
    y <- Surv(time, event)
    fit <- coxph.fit(x, y, NULL, NULL, NULL, coxph.control(), NULL, "efron", NULL, resid = FALSE)
    score <- -fit$linear.predictors
    function() concordancefit(y, score, timefix = FALSE)
  },
  stop("no job is called ", name))

# Timed as people call it. The answers are of a call that keeps R from merging times within 1.5e-8 of their mean, which we do not.
for_answers <- switch(base,
  kaplan_meier = function(made) survfit(Surv(time, event) ~ arm, timefix = FALSE),
  kaplan_meier_one = function(made) survfit(Surv(time, event) ~ 1, timefix = FALSE),
  log_rank = function(made) {  # survdiff(timefix = FALSE) of 3.5-3 fails, so its inner function
    sums <- survival:::survdiff.fit(Surv(time, event), as.integer(arm), rep(1, rows), 0)
    difference <- (sums$observed - sums$expected)[-1]
    list(chisq = sum(solve(sums$var[-1, -1], difference) * difference))
  },
  identity)
answers <- switch(base,
  kaplan_meier = , kaplan_meier_one = function(made) {
    read <- summary(made, times = asked)
    c(rbind(read$surv, read$std.err))
  },
  log_rank = function(made) made$chisq,
  cox = function(made) c(made$coefficients, sqrt(diag(made$var)), made$loglik[2]),
  cox_formula = function(made) c(coef(made), sqrt(diag(vcov(made))), made$loglik[2]),
  concordance = function(made) made$concordance)

wall <- cpu <- numeric()
for (run in seq_len(runs)) {
  gc(FALSE)
  used <- system.time(made <- job(), gcFirst = FALSE)
  wall <- c(wall, 1e3 * used[["elapsed"]]); cpu <- c(cpu, 1e3 * (used[["user.self"]] + used[["sys.self"]]))
}
status <- readLines("/proc/self/status")
peak <- as.numeric(gsub("[^0-9]", "", status[startsWith(status, "VmHWM")]))
list_of <- function(values) paste(sprintf("%.15g", values), collapse = ", ")
cat(sprintf('{"job": "%s", "n": %d, "wall_ms": [%s], "cpu_ms": [%s], "answers": [%s], "peak_kib": %.0f}\n', name, rows,
            list_of(wall), list_of(cpu), list_of(answers(for_answers(made))), peak))
