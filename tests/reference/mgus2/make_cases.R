# Rscript make_cases.R > cases.jsonl, in this folder: cumulative incidence, Gray's test and Fine-Gray models. See README.md for the tolerances.
library(survival)
library(cmprsk)
source("../case_writer.R")

mgus2 <- read.csv("mgus2.csv", colClasses = "character", na.strings = "")
mgus2$time <- as.numeric(mgus2$time)
mgus2$state <- factor(mgus2$cause, c("0", "pcm", "death"))
roles <- list(time = "time", cause = "cause")

# Curves: survfit's standard error is the infinitesimal jackknife.
times <- c(30, 90, 180, 300)
curves <- function(rows, at, by) {
  fit <- survfit(Surv(time, state) ~ 1, mgus2[rows, ], conf.type = "log", id = seq_along(time))
  s <- summary(fit, times = times, extend = TRUE)
  out <- list()
  for (k in 2:3) for (i in seq_along(times)) {
    place <- c(at, list(cause = fit$states[k], time = times[i]))
    out <- c(out, list(value("cumulative_incidence", s$pstate[i, k], 1e-11, place), value("se", s$std.err[i, k], 1e-9, place),
                       value("lower", s$lower[i, k], 1e-9, place), value("upper", s$upper[i, k], 1e-9, place)))
  }
  out
}
write_case("mgus2.aalen_johansen.all", "aalen_johansen", "mgus2/mgus2.csv", roles, curves(rep(TRUE, nrow(mgus2)), list()),
           "survfit with a factor status, conf.type = 'log'", list(times = as.list(times), interval = "log", level = 0.95))
write_case("mgus2.aalen_johansen.sex", "aalen_johansen", "mgus2/mgus2.csv", c(roles, list(group = "sex")),
           c(curves(mgus2$sex == "F", list(group = "F")), curves(mgus2$sex == "M", list(group = "M"))),
           "survfit with a factor status, conf.type = 'log'", list(times = as.list(times), interval = "log"))

mgus2$late <- ifelse(mgus2$time > 100, "late", "early")
for (cause in c("pcm", "death")) for (rho in c(0, 1)) {
  test <- cuminc(mgus2$time, mgus2$cause, mgus2$sex, rho = rho, cencode = "0")$Tests[cause, ]
  write_case(sprintf("mgus2.gray_test.%s.%d", cause, rho), "gray_test", "mgus2/mgus2.csv", c(roles, list(group = "sex")),
             list(value("chi_square", test[["stat"]], 1e-10), value("df", test[["df"]], 0), value("p", test[["pv"]], 1e-9)),
             "cmprsk cuminc", list(cause = cause, rho = rho))
}
for (cause in c("pcm", "death")) {
  x <- matrix(as.numeric(mgus2$sex == "M"))
  fit <- crr(mgus2$time, mgus2$cause, x, failcode = cause, cencode = "0", gtol = 1e-12, maxiter = 100)
  at <- list(term = list(list(column = "sex", level = "M")))
  b <- fit$coef[[1]]; s <- sqrt(fit$var[1, 1])
  write_case(sprintf("mgus2.fine_gray.%s", cause), "fine_gray", "mgus2/mgus2.csv", roles,
             list(value("estimate", b, 1e-8, at), value("robust_se", s, 1e-8, at), value("p", 2 * pnorm(-abs(b / s)), 1e-7, at),
                  value("hazard_ratio", exp(b), 1e-8, at), value("log_likelihood", fit$loglik, 1e-10),
                  value("log_likelihood_null", fit$loglik.null, 1e-10)),
             "cmprsk crr, gtol = 1e-12", list(cause = cause, formula = "sex", levels = list(sex = list("F", "M"))))
}
