# Reference-based imputation by conditional means, participant by participant, and its jackknife by repeating everything.
#
# rows      all visits of all participants in order, with factors; `event` 1 from the intercurrent event on
# strategy  mean from the event on; copy_reference also before it
completed <- function(rows, response, formula, f, strategy, reference) {
  x <- model.matrix(as.formula(paste("~", formula)), rows)
  as_reference <- rows
  as_reference$treatment[] <- reference
  x_reference <- model.matrix(as.formula(paste("~", formula)), as_reference)
  mu <- c(x %*% f$b); mu_reference <- c(x_reference %*% f$b)
  y <- rows[[response]]
  for (own in split(seq_along(y), rows$subject)) {
    mean <- mu[own]; other <- mu_reference[own]
    after <- which(rows$event[own] == 1)
    before <- if (length(after)) after[1] - 1 else length(own)
    if (strategy == "copy_reference" && length(after)) mean <- other
    else if (length(after)) mean[after] <- switch(strategy,
      mar = mean[after],
      jump_to_reference = other[after],
      copy_increments_in_reference = if (before == 0) other[after] else mean[before] + other[after] - other[before],
      last_mean_carried_forward = rep(mean[before], length(after)))
    gone <- is.na(y[own])
    if (!any(gone)) next
    if (all(gone)) { y[own] <- mean; next }
    y[own][gone] <- mean[gone] + f$sigma[gone, !gone, drop = FALSE] %*% solve(f$sigma[!gone, !gone], (y[own] - mean)[!gone])
  }
  y
}

# ANCOVA at each visit: LS means of both groups and their difference.
at_each_visit <- function(rows, y, analysis) unlist(lapply(levels(rows$visit), function(v) {
  own <- rows[rows$visit == v, ]
  own$completed <- y[rows$visit == v]
  b <- coef(lm(as.formula(paste("completed ~", analysis)), own))
  means <- vapply(levels(own$treatment), function(arm) sum(mean_row(analysis, own, list(treatment = arm)) * b), 0)
  c(means, means[2] - means[1])
}))

imputed <- function(rows, response, formula, analysis, reference, strategies, reml, start) {
  there <- !is.na(rows[[response]]) & rows$event == 0
  kept <- rows[there, ]
  x <- model.matrix(as.formula(paste("~", formula)), kept)
  f <- fit_dense(gather(x, kept[[response]], kept$subject, as.integer(kept$visit), 4), structure_of("unstructured", 4, start$sd), reml, start$theta, start$hessian)
  list(f = f, answers = sapply(strategies, function(s) at_each_visit(rows, completed(rows, response, formula, f, s, reference), analysis)))
}

jackknife <- function(rows, response, formula, analysis, reference, strategies, reml, sd) {
  all <- imputed(rows, response, formula, analysis, reference, strategies, reml, list(sd = sd))
  n <- nlevels(factor(rows$subject))
  without <- lapply(unique(rows$subject), function(i)
    imputed(rows[rows$subject != i, ], response, formula, analysis, reference, strategies, reml, list(sd = sd, theta = all$f$theta, hessian = all$f$hessian))$answers)
  mean <- Reduce(`+`, without) / n
  squares <- Reduce(`+`, lapply(without, function(a) (a - mean)^2))
  list(estimate = all$answers, se = sqrt((n - 1) / n * squares), neg2 = all$f$neg2)
}
