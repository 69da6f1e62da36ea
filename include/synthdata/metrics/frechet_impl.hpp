// synthdata/metrics/frechet_impl.hpp: bodies of metrics/frechet.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/metrics/frechet.hpp>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

namespace synthdata {
namespace detail {

struct FittedGaussian {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};

SYNTHDATA_INLINE FittedGaussian fit_gaussian(const char* name, const Tensor& features) {
  const std::int64_t count = features.shape(0), width = features.shape(1);
  FittedGaussian out{Eigen::VectorXd::Zero(width), Eigen::MatrixXd::Zero(width, width)};
  visit_floating(features.dtype(), "frechet_distance", [&]<class T>() {
    using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Map<const Rows> x(features.data<T>(), count, width);
    constexpr std::int64_t block = 256;  // rows that are held in f64 at a time
    for (std::int64_t i = 0; i < count; i += block) {
      out.mean += x.middleRows(i, std::min(block, count - i)).template cast<double>().colwise().sum().transpose();
    }
    out.mean /= static_cast<double>(count);
    if (!out.mean.allFinite())
      throw NumericError(concat("frechet_distance: ", name, " has values that are not finite"));
    for (std::int64_t i = 0; i < count; i += block) {
      const Eigen::MatrixXd centred =
          x.middleRows(i, std::min(block, count - i)).template cast<double>().rowwise() - out.mean.transpose();
      out.covariance.selfadjointView<Eigen::Lower>().rankUpdate(centred.transpose());
    }
  });
  out.covariance /= static_cast<double>(count - 1);
  out.covariance.triangularView<Eigen::StrictlyUpper>() = out.covariance.transpose();
  if (!out.covariance.allFinite()) {
    throw NumericError(concat("frechet_distance: the covariance of ", name, " is not finite"));
  }
  return out;
}

/// Square roots of the eigenvalues of a matrix that is positive semidefinite but for rounding.
SYNTHDATA_INLINE Eigen::VectorXd root_eigenvalues(const Eigen::VectorXd& eigenvalues) {
  const double noise = static_cast<double>(eigenvalues.size()) * std::numeric_limits<double>::epsilon() *
                       eigenvalues.cwiseAbs().maxCoeff();
  // A zero that rounding made 1e-16 would count as 1e-8 after the root.
  return (eigenvalues.array() > noise).select(eigenvalues.array().max(0.0).sqrt(), 0.0).matrix();
}

}  // namespace detail

SYNTHDATA_INLINE double frechet_distance(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined() || a.rank() != 2 || b.rank() != 2 || a.shape(1) != b.shape(1) || a.shape(1) < 1) {
    throw_shape("frechet_distance", "expects features [N, D] with the same D >= 1", {{"a", a}, {"b", b}});
  }
  if (a.shape(0) < 2 || b.shape(0) < 2) {
    throw_shape("frechet_distance", "expects at least two samples on both sides", {{"a", a}, {"b", b}});
  }
  using Solver = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;
  const auto solve = [](const Eigen::MatrixXd& m, int what) {
    Solver solver(m, what);
    if (solver.info() != Eigen::Success) throw NumericError("frechet_distance: the eigenvalues did not converge");
    return solver;
  };
  const detail::FittedGaussian p = detail::fit_gaussian("a", a), q = detail::fit_gaussian("b", b);
  // trace((A B)^½) = trace((A^½ B A^½)^½), whose matrix is symmetric: no complex numbers, no iteration for a root.
  const Solver of_a = solve(p.covariance, Eigen::ComputeEigenvectors);
  const Eigen::MatrixXd root =
      of_a.eigenvectors() * detail::root_eigenvalues(of_a.eigenvalues()).asDiagonal() * of_a.eigenvectors().transpose();
  const Eigen::MatrixXd product = root * q.covariance * root;
  const double cross =
      detail::root_eigenvalues(solve((product + product.transpose()) / 2.0, Eigen::EigenvaluesOnly).eigenvalues())
          .sum();
  const double distance = (p.mean - q.mean).squaredNorm() + p.covariance.trace() + q.covariance.trace() - 2.0 * cross;
  return std::max(distance, 0.0);
}

}  // namespace synthdata
