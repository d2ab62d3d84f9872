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
sink()
