# Rscript make_cases.R > cases.jsonl, in this folder: t tests of the Beat the Blues trial. See README.md for the tolerances.
source("../case_writer.R")

btheb <- read.csv("btheb.csv", stringsAsFactors = FALSE)
data <- "btheb/btheb.csv"
arm <- function(column, treatment) btheb[[column]][btheb$treatment == treatment]

write_t_test <- function(id, test, se, roles, options, call, where = NULL, sample = NULL, estimate) {
  expect <- list(value("estimate", estimate, 1e-12), value("se", se, 1e-12), value("t", test$statistic[[1]], 1e-11), value("df", test$parameter[[1]], 1e-11),
                 value("p", test$p.value, 1e-9), value("lower", test$conf.int[1], 1e-9), value("upper", test$conf.int[2], 1e-9))
  if (!is.null(sample)) {
    sample <- sample[!is.na(sample)]
    expect <- c(expect, list(value("mean", mean(sample), 1e-12), value("sd", sd(sample), 1e-12), value("n", length(sample), 0)))
  }
  write_case(id, "t_test", data, roles, expect, call, options, where)
}

for (visit in c("bdi.2m", "bdi.8m"))
  for (variance in c("pooled", "welch")) {
    test <- t.test(arm(visit, "BtheB"), arm(visit, "TAU"), var.equal = variance == "pooled")
    write_t_test(sprintf("btheb.t_test.%s.%s", visit, variance), test, test$stderr, list(response = visit, group = "treatment"),
                 list(variance = variance, difference = list(level = "BtheB", minus = "TAU"), level = 0.95),
                 sprintf("t.test(BtheB, TAU, var.equal = %s) of %s", variance == "pooled", visit), estimate = -diff(test$estimate)[[1]])
  }

change <- btheb$bdi.pre - btheb$bdi.2m
test <- t.test(btheb$bdi.pre, btheb$bdi.2m, paired = TRUE, conf.level = 0.9)
write_t_test("btheb.t_test.paired", test, test$stderr, list(first = "bdi.pre", second = "bdi.2m"), list(variance = "paired", level = 0.9),
             "t.test(bdi.pre, bdi.2m, paired = TRUE, conf.level = 0.9)", sample = change, estimate = mean(change, na.rm = TRUE))

usual <- arm("bdi.8m", "TAU")
test <- t.test(usual, mu = 10)
write_t_test("btheb.t_test.one_sample", test, test$stderr, list(response = "bdi.8m"), list(variance = "one_sample", mu = 10, level = 0.95),
             "t.test(bdi.8m, mu = 10), TAU", list(list(column = "treatment", is = "TAU")), usual, mean(usual, na.rm = TRUE))
