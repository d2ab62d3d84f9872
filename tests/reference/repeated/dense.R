# The normal model with one covariance matrix of the visits, written from its formulas: V of every participant is a part of Sigma(theta).
# Derivatives of Sigma and of everything derived are numDeriv's; the score is exact given them, so that Newton's method ends at the
# optimum and not where a likelihood has become flat.
suppressMessages(library(numDeriv))

# Slopes in theta, by Richardson's extrapolation from steps of a hundredth of `scale`: theta itself may be near 0.
slopes_of <- function(f, theta, scale = 1)
  sweep(jacobian(function(u) f(theta + scale * u), rep(0, length(theta)), method.args = list(eps = 1e-2, r = 6)), 2, rep_len(scale, length(theta)), "/")

lower_by_rows <- function(m) do.call(rbind, lapply(seq_len(m)[-1], function(j) cbind(j, seq_len(j - 1))))
correlation_of <- function(theta) theta / sqrt(1 + theta^2)

# Sigma(theta) and where to start, theta as in the definitions of Kenward and Roger's second derivatives (README.md).
structure_of <- function(name, m, sd) {
  heterogeneous <- startsWith(name, "heterogeneous_")
  family <- sub("heterogeneous_", "", name)
  lag <- abs(outer(1:m, 1:m, "-"))
  deviations <- if (heterogeneous) m else 1
  if (family == "unstructured") {
    at <- lower_by_rows(m)
    return(list(start = c(log(sd), rep(0, nrow(at))), scale = 1, sigma = function(theta) {
      l <- diag(m)
      l[at] <- theta[-(1:m)]
      d <- diag(exp(theta[1:m]))
      d %*% l %*% t(l) %*% d
    }))
  }
  matrix_of <- switch(family,
    compound_symmetry = function(t) { a <- 1 / (m - 1); ifelse(lag == 0, 1, (1 + a) * plogis(t) - a) },
    ar1 = function(t) correlation_of(t)^lag,
    toeplitz = function(t) matrix(c(1, correlation_of(t))[lag + 1], m),
    ante_dependence = function(t) {
      r <- correlation_of(t)
      outer(1:m, 1:m, Vectorize(function(j, k) if (j == k) 1 else prod(r[min(j, k):(max(j, k) - 1)])))
    })
  correlations <- if (family %in% c("toeplitz", "ante_dependence")) m - 1 else 1
  list(start = c(if (heterogeneous) log(sd) else log(mean(sd)), rep(0.5, correlations)), scale = 1, sigma = function(theta) {
    d <- exp(rep_len(theta[1:deviations], m))
    matrix_of(theta[-(1:deviations)]) * outer(d, d)
  })
}

# Random effects with design Z of the visits: theta = the elements of G below the diagonal by rows, then the residual variance.
random_effects <- function(z, start) {
  q <- ncol(z)
  at <- which(upper.tri(diag(q), TRUE), arr.ind = TRUE)[, 2:1, drop = FALSE]
  sd <- sqrt(start[which(at[, 1] == at[, 2])])
  list(scale = c(sd[at[, 1]] * sd[at[, 2]], tail(start, 1)), at = at, sigma = function(theta) {
    g <- matrix(0, q, q)
    g[at] <- theta[seq_len(nrow(at))]
    g[at[, 2:1, drop = FALSE]] <- theta[seq_len(nrow(at))]
    z %*% g %*% t(z) + diag(theta[nrow(at) + 1], nrow(z))
  })
}

# Participants by the visits that they have; rows in the order of the visits.
gather <- function(x, y, subject, visit, m) {
  rows <- lapply(split(seq_along(y), subject), function(i) i[order(visit[i])])
  kinds <- split(rows, vapply(rows, function(i) paste(visit[i], collapse = " "), ""))
  list(m = m, n = length(y), p = ncol(x), subjects = length(rows), kinds = lapply(kinds, function(own) {
    seen <- visit[own[[1]]]
    i <- unlist(own)
    list(seen = seen, x = x[i, , drop = FALSE], y = y[i], row = rep(seq_along(seen), length(own)), count = length(own))
  }))
}

# X'V^-1 X, b and -2 l with every constant but log|X'X|.
pieces <- function(d, sigma, reml) {
  logs <- 0; a <- matrix(0, d$p, d$p); c <- numeric(d$p); yy <- 0
  for (k in d$kinds) {
    root <- chol(sigma[k$seen, k$seen, drop = FALSE])
    w <- backsolve(root, matrix(cbind(k$x, k$y), length(k$seen)), transpose = TRUE)  # L^-1 of all columns of all participants
    w <- matrix(w, nrow(k$x))
    s <- crossprod(w)
    logs <- logs + 2 * k$count * sum(log(diag(root)))
    a <- a + s[1:d$p, 1:d$p]; c <- c + s[1:d$p, d$p + 1]; yy <- yy + s[d$p + 1, d$p + 1]
  }
  b <- solve(a, c)
  list(a = a, b = b, value = logs + yy - sum(b * c) + (d$n - reml * d$p) * log(2 * pi) + reml * c(determinant(a)$modulus))
}
phi_of <- function(d, sigma) solve(pieces(d, sigma, FALSE)$a)

score_of <- function(d, structure, reml, theta) {
  sigma <- structure$sigma(theta)
  own <- pieces(d, sigma, reml)
  phi <- solve(own$a)
  slopes <- slopes_of(structure$sigma, theta, structure$scale)
  total <- matrix(0, d$m, d$m)
  for (k in d$kinds) {
    v <- solve(sigma[k$seen, k$seen, drop = FALSE])
    r <- matrix(k$y - k$x %*% own$b, length(k$seen))
    spread <- r %*% t(r)
    if (reml) {
      xp <- k$x %*% phi
      for (i in seq_along(k$seen)) for (j in seq_along(k$seen))
        spread[i, j] <- spread[i, j] + sum(xp[k$row == i, ] * k$x[k$row == j, ])
    }
    total[k$seen, k$seen] <- total[k$seen, k$seen] + k$count * v - v %*% spread %*% v
  }
  c(t(slopes) %*% c(total))
}

# `start` near the optimum spares the search; with `chord`, the Hessian of a fit nearby, Newton's steps use it and A is not computed.
fit_dense <- function(d, structure, reml = TRUE, start = NULL, chord = NULL) {
  value <- function(theta) tryCatch(pieces(d, structure$sigma(theta), reml)$value, error = function(e) 1e10)
  score <- function(theta) score_of(d, structure, reml, theta)
  hessian <- function(theta) { h <- slopes_of(score, theta, structure$scale); (h + t(h)) / 2 }
  theta <- start
  if (is.null(start))
    theta <- optim(structure$start, value, function(t) tryCatch(score(t), error = function(e) rep(0, length(t))), method = "BFGS",
                   control = list(maxit = 1000, reltol = 1e-14))$par
  h <- chord
  for (step in 1:60) {
    if (is.null(chord) || step %% 15 == 0) h <- hessian(theta)
    move <- solve(h, score(theta))
    theta <- theta - move
    if (sqrt(sum(move * (h %*% move)) / 2) < 1e-9) break  # in standard errors; the derivatives are good to some 1e-10
  }
  stopifnot(step < 60, all(eigen(h)$values > 0))
  if (is.null(chord)) h <- hessian(theta)
  sigma <- structure$sigma(theta)
  own <- pieces(d, sigma, reml)
  list(d = d, structure = structure, reml = reml, theta = theta, sigma = sigma, b = own$b, phi = solve(own$a), neg2 = own$value, hessian = h,
       a = if (is.null(chord)) 2 * solve(h), k = length(theta))
}

# Gradient of Phi in theta, as a list of matrices.
phi_slopes <- function(f) {
  j <- slopes_of(function(theta) phi_of(f$d, f$structure$sigma(theta)), f$theta, f$structure$scale)
  lapply(seq_len(f$k), function(i) matrix(j[, i], f$d$p))
}

satterthwaite <- function(f, l, slopes) {
  g <- vapply(slopes, function(s) c(l %*% s %*% l), 0)
  2 * c(l %*% f$phi %*% l)^2 / c(g %*% f$a %*% g)
}

# Kenward and Roger (1997): the adjusted covariance of b, by the sums of the paper.
kenward_roger <- function(f, second) {
  m <- f$d$m; k <- f$k
  slope <- function(theta) slopes_of(f$structure$sigma, theta, f$structure$scale)
  first <- lapply(seq_len(k), function(i) matrix(slope(f$theta)[, i], m))
  twice <- if (second) slopes_of(function(theta) c(slope(theta)), f$theta, f$structure$scale)
  p <- replicate(k, matrix(0, f$d$p, f$d$p), simplify = FALSE)
  rest <- matrix(0, f$d$p, f$d$p)
  for (kind in f$d$kinds) {
    o <- kind$seen
    v <- solve(f$sigma[o, o, drop = FALSE])
    for (own in split(seq_along(kind$y), rep(seq_len(kind$count), each = length(o)))) {
      x <- kind$x[own, , drop = FALSE]
      for (i in seq_len(k)) {
        p[[i]] <- p[[i]] - t(x) %*% v %*% first[[i]][o, o] %*% v %*% x
        for (j in seq_len(k)) {
          q <- t(x) %*% v %*% first[[i]][o, o] %*% v %*% first[[j]][o, o] %*% v %*% x
          if (second) q <- q - t(x) %*% v %*% matrix(twice[(i - 1) * m * m + 1:(m * m), j], m)[o, o] %*% v %*% x / 4
          rest <- rest + f$a[i, j] * q
        }
      }
    }
  }
  for (i in seq_len(k)) for (j in seq_len(k)) rest <- rest - f$a[i, j] * p[[i]] %*% f$phi %*% p[[j]]
  f$phi + 2 * f$phi %*% rest %*% f$phi
}
