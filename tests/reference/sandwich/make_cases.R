# Rscript make_cases.R > cases.jsonl, in this folder: sandwich covariances of mixed models by dense matrices over all rows, at the restricted
# maximum, climbed here by Newton's method; nlme, lme4 and clubSandwich check it as it runs. See README.md.
source("../case_writer.R")
suppressMessages({library(nlme); library(lme4); library(clubSandwich)})
source_of <- function(call) sprintf("R %s; %s", getRversion(), call)

# Score of -2 log restricted likelihood of V(par), linear in par with derivatives `parts`, and its root by Newton's method.
score <- function(par, parts, x, y) {
  W <- solve(Reduce(`+`, Map(`*`, par, parts))); M <- solve(t(x) %*% W %*% x); P <- W - W %*% x %*% M %*% t(x) %*% W; Py <- P %*% y
  vapply(parts, function(D) sum(P * D) - sum(Py * (D %*% Py)), 0)
}
maximum <- function(par, parts, x, y) {
  for (step in 1:20) {
    g <- score(par, parts, x, y); k <- length(par); H <- matrix(0, k, k)
    for (j in seq_len(k)) {
      h <- 1e-5 * max(abs(par[j]), 1e-2); e <- replace(numeric(k), j, h)
      H[, j] <- (score(par + e, parts, x, y) - score(par - e, parts, x, y)) / (2 * h)
    }
    move <- solve((H + t(H)) / 2, g); par <- par - move
    if (sqrt(abs(sum(g * move))) < 1e-11) return(par)  # standard errors of the parameters
  }
  stop("no maximum")
}

# Estimates, and for each power of I - H the standard errors and degrees of freedom of every coefficient. I - H_i is a function of the symmetric
# I - V^-1/2 X B X'V^-1/2; the matrix G of the degrees of freedom is written out over participants.
sandwiches <- function(x, y, V, id) {
  rows <- split(seq_along(y), id); W <- matrix(0, length(y), length(y))
  for (r in rows) W[r, r] <- solve(V[r, r])
  M <- solve(t(x) %*% W %*% x); b <- M %*% t(x) %*% W %*% y; rest <- diag(length(y)) - x %*% M %*% t(x) %*% W
  lapply(c(cr0 = 0, cr2 = -0.5, cr3 = -1), function(power) {
    of <- lapply(rows, function(r) {
      v <- eigen(V[r, r, drop = FALSE], symmetric = TRUE); root <- v$vectors %*% (sqrt(v$values) * t(v$vectors))
      h <- eigen(diag(length(r)) - solve(root, x[r, , drop = FALSE]) %*% M %*% t(solve(root, x[r, , drop = FALSE])), symmetric = TRUE)
      A <- root %*% h$vectors %*% (h$values^power * t(h$vectors)) %*% solve(root)
      M %*% t(x[r, , drop = FALSE]) %*% W[r, r] %*% A %*% rest[r, , drop = FALSE]
    })
    cov <- Reduce(`+`, lapply(of, function(s) tcrossprod(s %*% y)))
    df <- vapply(seq_len(ncol(x)), function(j) {
      g <- do.call(rbind, lapply(of, function(s) s[j, ])); G <- g %*% V %*% t(g); sum(diag(G))^2 / sum(G^2)
    }, 0)
    list(estimate = drop(b), se = sqrt(diag(cov)), df = df)
  })
}

# CR0 and CR3 have one definition; CR2 of clubSandwich is another root.
check <- function(made, fit, id, digits) for (kind in c("CR0", "CR3")) {
  theirs <- coef_test(fit, vcov = kind, cluster = id); ours <- made[[tolower(kind)]]
  stopifnot(abs(theirs$SE / ours$se - 1) < digits, abs(theirs$df_Satt / ours$df - 1) < digits)
}

tolerance <- 1e-8  # relative: the maximum is within 1e-11 standard errors, and the program's within 1e-9
cases <- function(name, made, terms, method, data, roles, options, call) for (kind in names(made)) {
  expect <- unlist(lapply(seq_along(terms), function(j) lapply(c("estimate", "se", "df"), function(q)
    value(q, made[[kind]][[q]][j], tolerance, list(term = terms[[j]])))), recursive = FALSE)
  write_case(paste("sandwich", name, kind, sep = "."), method, data, roles, expect, call, c(options, list(covariance_of_estimates = kind)))
}
level <- function(column, level) list(column = column, level = level)

# Growth of 27 children, nine of them without a value at 10.
growth <- as.data.frame(Orthodont)
growth$child <- as.character(growth$Subject)
growth$sex <- factor(ifelse(growth$Sex == "Male", "male", "female"), c("male", "female"))
growth$visit <- factor(growth$age)
gap <- c("F03", "F06", "F09", "F10", "M05", "M06", "M09", "M13", "M16")
growth <- growth[!(growth$age == 10 & growth$child %in% gap), ]
growth <- growth[order(growth$child, growth$age), c("child", "sex", "visit", "age", "distance")]
write.csv(growth, "growth.csv", row.names = FALSE, quote = FALSE)
growth$t <- as.integer(growth$visit)
same <- outer(growth$child, growth$child, "==")
x <- model.matrix(~ sex * visit, growth)
terms <- c(list(list()), list(list(level("sex", "female"))), lapply(c("10", "12", "14"), function(v) list(level("visit", v))),
           lapply(c("10", "12", "14"), function(v) list(level("sex", "female"), level("visit", v))))
roles <- list(response = "distance", subject = "child", visit = "visit")
options <- function(covariance) list(formula = "sex * visit", levels = list(sex = list("male", "female"), visit = list("8", "10", "12", "14")),
                                     covariance = covariance)
at <- which(lower.tri(diag(4), TRUE), arr.ind = TRUE)
unit <- function(j, k) { E <- matrix(0, 4, 4); E[j, k] <- E[k, j] <- 1; same * E[growth$t, growth$t] }
parts <- lapply(seq_len(nrow(at)), function(i) unit(at[i, 1], at[i, 2]))
fit <- gls(distance ~ sex * visit, growth, correlation = corSymm(form = ~ t | child), weights = varIdent(form = ~ 1 | visit))
complete <- which(table(growth$child) == 4)[1]
deviation <- tapply(sigma(fit) / varWeights(fit$modelStruct$varStruct), growth$t, mean)
start <- outer(deviation, deviation) * corMatrix(fit$modelStruct$corStruct)[[names(complete)]]
par <- maximum(start[at], parts, x, growth$distance)
made <- sandwiches(x, growth$distance, Reduce(`+`, Map(`*`, par, parts)), growth$child)
check(made, fit, growth$child, 2e-5)  # where gls stops
cases("growth.unstructured", made, terms, "mmrm", "sandwich/growth.csv", roles, options("unstructured"), "dense matrices, unstructured covariance")
symmetric <- list(same * 1, diag(nrow(growth)))
par <- maximum(c(3, 2), symmetric, x, growth$distance)
made <- sandwiches(x, growth$distance, Reduce(`+`, Map(`*`, par, symmetric)), growth$child)
check(made, gls(distance ~ sex * visit, growth, correlation = corCompSymm(form = ~ 1 | child)), growth$child, 1e-6)
cases("growth.compound_symmetry", made, terms, "mmrm", "sandwich/growth.csv", roles, options("compound_symmetry"),
      "dense matrices, compound symmetry")

# The same children as lines: random intercepts and slopes.
lines <- model.matrix(~ sex * age, growth)
of_lines <- list(same * 1, same * outer(growth$age, growth$age, `+`), same * outer(growth$age, growth$age), diag(nrow(growth)))
mixed <- lmer(distance ~ sex * age + (age | child), growth, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12)))
G <- VarCorr(mixed)$child
par <- maximum(c(G[1, 1], G[1, 2], G[2, 2], sigma(mixed)^2), of_lines, lines, growth$distance)
made <- sandwiches(lines, growth$distance, Reduce(`+`, Map(`*`, par, of_lines)), growth$child)
check(made, mixed, growth$child, 1e-4)  # where lmer stops
number <- function(column) list(column = column)
cases("growth.lines", made, list(list(), list(level("sex", "female")), list(number("age")), list(level("sex", "female"), number("age"))),
      "linear_mixed", "sandwich/growth.csv", list(response = "distance", subject = "child"),
      list(formula = "sex * age", levels = list(sex = list("male", "female")), random = list("1", "age")),
      "dense matrices, random intercepts and slopes")
