# Rscript make_cases.R, in this folder: writes veteran_visits.csv from ../veteran/veteran.csv, and cases.jsonl. See README.md.
library(survival)
source("../case_writer.R")

# Deaths known only from visits every 40 days; who has number i does not come to visit k when (i + 3 k) %% 5 is 0. A censored
# time is known up to the last visit attended.
veteran <- read.csv("../veteran/veteran.csv", colClasses = "character")
time <- as.numeric(veteran$time); event <- as.numeric(veteran$event)
visits <- 40 * (1:25)
left <- right <- rep(NA, length(time))
for (i in seq_along(time)) {
  attended <- visits[(i + 3 * seq_along(visits)) %% 5 != 0]
  left[i] <- max(0, attended[attended < time[i]])
  right[i] <- if (event[i] == 1) min(attended[attended >= time[i]]) else Inf
}
write.csv(data.frame(left, right = ifelse(is.finite(right), right, ""), trt = veteran$trt), "veteran_visits.csv", row.names = FALSE,
          quote = FALSE)

# Turnbull's masses by EM alone, on the innermost intervals, until the Kuhn-Tucker conditions hold to 1e-9. No exact times here.
npmle <- function(left, right) {
  from <- sort(unique(left)); from <- from[sapply(from, function(l) { r <- min(right[right > l]); !any(left > l & left < r) })]
  to <- sapply(from, function(l) min(right[right > l]))
  inside <- outer(left, from, `<=`) & outer(right, to, `>=`)
  p <- rep(1 / length(from), length(from))
  repeat {
    d <- colMeans(inside / drop(inside %*% p))
    if (max(d - 1) < 1e-9 && max(p * abs(d - 1)) < 1e-12) break
    p <- p * d
  }
  list(from = from, to = to, p = p, inside = inside, log_likelihood = sum(log(inside %*% p)))
}

curve <- function(rows, at) {
  fit <- npmle(left[rows], right[rows])
  out <- list()
  for (j in seq_along(fit$p)) if (fit$p[j] > 1e-6)
    out <- c(out, list(value("probability", fit$p[j], 1e-5,
                             c(at, list(interval = list(fit$from[j], if (is.finite(fit$to[j])) fit$to[j]))))))
  for (t in c(80, 200)) out <- c(out, list(value("survival", if (any(fit$from < t & t < fit$to & fit$p > 1e-6)) NA else
    sum(fit$p[fit$from >= t]), 1e-6, c(at, list(time = t)))))
  c(out, list(value("log_likelihood", fit$log_likelihood, 1e-9, if (length(at)) at)))
}
sink("cases.jsonl")
write_case("visits.turnbull", "turnbull", "visits/veteran_visits.csv", list(left = "left", right = "right", group = "trt"),
           c(curve(veteran$trt == "1", list(group = "1")), curve(veteran$trt == "2", list(group = "2"))),
           "EM of make_cases.R to the Kuhn-Tucker conditions", list(times = list(80, 200)))

fit <- npmle(left, right)
S <- function(t) ifelse(is.infinite(t), 0, sapply(t, function(u) sum(fit$p[fit$from >= u])))  # at visits only
hazard <- fit$p / rev(cumsum(rev(fit$p)))
L <- function(t) sapply(t, function(u) sum(hazard[fit$to <= u]))
a <- S(left); b <- S(right)
scores <- list(sun = (-a * L(left) + ifelse(b > 0, b * L(right), 0)) / (a - b),
               proportional_hazards = (a * log(a) - ifelse(b > 0, b * log(b), 0)) / (a - b), proportional_odds = a + b - 1)
x <- as.numeric(veteran$trt == "2")
for (name in names(scores)) {
  c <- scores[[name]] - mean(scores[[name]])
  z <- sum(c * x) / sqrt(sum(c^2) * sum((x - mean(x))^2) / (length(x) - 1))
  write_case(paste0("visits.interval_log_rank.", name), "interval_log_rank", "visits/veteran_visits.csv",
             list(left = "left", right = "right", group = "trt"), list(value("z", z, 1e-6), value("p", 2 * pnorm(-abs(z)), 1e-6)),
             "formulas of make_cases.R", list(scores = name, difference = list(level = "2", minus = "1")))
}

# Grouped-time hazards. Nobody skips a visit: the binary model with complementary log-log link over persons and visits.
step <- 40
up_to <- ceiling(time / step)  # the visit by which death is seen, or the one before which the censored time lies
known <- ifelse(event == 1, up_to, floor(time / step))
every <- data.frame(left = ifelse(event == 1, step * (up_to - 1), step * known), right = ifelse(event == 1, step * up_to, ""),
                    trt = veteran$trt, karno = veteran$karno)
sink(); write.csv(every, "veteran_every_visit.csv", row.names = FALSE, quote = FALSE); sink("cases.jsonl", append = TRUE)
long <- do.call(rbind, lapply(seq_along(time), function(i) if (known[i] > 0)
  data.frame(visit = seq_len(known[i]), died = event[i] == 1 & seq_len(known[i]) == known[i], trt = veteran$trt[i],
             karno = as.numeric(veteran$karno[i]))))
# Visits without a death have hazard 0, visits that nobody survives hazard 1: neither says anything of the effects.
share <- tapply(long$died, long$visit, mean)
long <- long[!(long$visit %in% names(share)[share == 0 | share == 1]), ]
fit <- glm(died ~ factor(visit) + trt + karno, binomial("cloglog"), long, control = glm.control(epsilon = 1e-15, maxit = 100))
null <- glm(died ~ factor(visit), binomial("cloglog"), long, control = glm.control(epsilon = 1e-15, maxit = 100))
# Standard errors from the observed information: glm's are from the expected one, and the link is not canonical.
u <- exp(fit$linear.predictors); r <- 1 / expm1(u)
curvature <- ifelse(long$died, r * (1 + r) * u^2 - r * u, u)
X <- model.matrix(fit)
b <- coef(fit); s <- sqrt(diag(solve(crossprod(X * curvature, X)))); names(s) <- names(b)
expect <- list()
for (name in c("trt2", "karno")) {
  at <- list(term = list(if (name == "trt2") list(column = "trt", level = "2") else list(column = "karno")))
  expect <- c(expect, list(value("hazard_ratio", exp(b[[name]]), 1e-7, at), value("estimate", b[[name]], 1e-6, at),
                           value("se", s[[name]], 1e-7, at)))
}
expect <- c(expect, list(value("likelihood_ratio_chi_square", null$deviance - fit$deviance, 1e-8),
                         value("log_likelihood", as.numeric(logLik(fit)), 1e-9),
                         value("log_likelihood_null", as.numeric(logLik(null)), 1e-9)))
write_case("visits.grouped_hazard.every_visit", "grouped_hazard", "visits/veteran_every_visit.csv", list(left = "left", right = "right"),
           expect, "glm(binomial('cloglog')) over persons and visits", list(formula = "trt + karno", levels = list(trt = list("1", "2"))))

# Visits are missed: the likelihood of the intervals, by a general optimiser.
fit <- npmle(left, right)
cells <- length(fit$p)
first <- apply(fit$inside, 1, function(r) min(which(r))); last <- apply(fit$inside, 1, function(r) max(which(r)))
x <- as.numeric(veteran$trt == "2")
minus <- function(theta) {
  H <- c(0, cumsum(exp(theta[seq_len(cells - 1)])), Inf); r <- exp(x * theta[cells])
  -sum(log(exp(-r * H[first]) - exp(-r * H[last + 1])))
}
beyond <- c(1, 1 - cumsum(fit$p))[seq_len(cells)]
start <- log(-diff(log(beyond)))
start[!is.finite(start) | start < -25] <- -25
best <- optim(c(start, 0), minus, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000, ndeps = rep(1e-5, cells)))
for (i in 1:3) best <- optim(best$par, minus, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000, ndeps = rep(1e-6, cells)))
at <- list(term = list(list(column = "trt", level = "2")))
write_case("visits.grouped_hazard.missed", "grouped_hazard", "visits/veteran_visits.csv", list(left = "left", right = "right"),
           list(value("hazard_ratio", exp(best$par[cells]), 2e-5, at), value("log_likelihood", -best$value, 1e-8),
                value("likelihood_ratio_chi_square", 2 * (-best$value - fit$log_likelihood), 1e-4)),
           "optim on the likelihood of the intervals", list(formula = "trt", levels = list(trt = list("1", "2"))))
sink()
