# One fit of a mixed model for repeated measures, arm * visit + base, unstructured, REML, by a peer; for bench/mmrm.py.
#
#     Rscript bench/mmrm_peers.R FILE gls|glmmTMB|lme4
#
# A line of JSON: milliseconds (processor and elapsed), the last arm less the first at the last visit with its standard error, and
# -2 log restricted likelihood. The second of two fits is timed where the first took less than five seconds.
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1], stringsAsFactors = TRUE)
data$visit <- factor(data$visit, paste0("V", seq_along(unique(data$visit))))
data$place <- as.integer(data$visit)
suppressPackageStartupMessages(switch(arguments[2],
  gls = library(nlme), glmmTMB = library(glmmTMB), lme4 = library(lme4)))

fit <- switch(arguments[2],
  gls = function() gls(y ~ arm * visit + base, data, correlation = corSymm(form = ~ place | subject),
                       weights = varIdent(form = ~ 1 | visit)),
  glmmTMB = function() glmmTMB(y ~ arm * visit + base + us(0 + visit | subject), data, dispformula = ~ 0, REML = TRUE),
  lme4 = function() lmer(y ~ arm * visit + base + (0 + visit | subject), data,
                         control = lmerControl(check.nobs.vs.nRE = "ignore", calc.derivs = FALSE)))
timed <- function() { took <- system.time(model <<- suppressWarnings(fit())); c(sum(took[1:2]), took[3]) * 1e3 }
took <- timed()
if (took[2] < 5000) took <- timed()

coefficients <- switch(arguments[2], gls = coef(model), glmmTMB = fixef(model)$cond, lme4 = fixef(model))
covariance <- switch(arguments[2], gls = vcov(model), glmmTMB = vcov(model)$cond, lme4 = as.matrix(vcov(model)))
last_arm <- paste0("arm", tail(levels(data$arm), 1))
l <- as.numeric(names(coefficients) %in% c(last_arm, paste0(last_arm, ":visit", tail(levels(data$visit), 1))))
# nlme and lme4 count log|X'WX| alike; glmmTMB integrates the coefficients over the same constant.
cat(sprintf('{"cpu_ms": %.1f, "ms": %.1f, "estimate": %.10g, "se": %.10g, "neg2": %.14g}\n', took[1], took[2],
            sum(l * coefficients), sqrt(sum(l * (covariance %*% l))), -2 * as.numeric(logLik(model))))
