// What can go wrong, as types: catch rondo::Error for all of it, or one kind.
// The library throws these and never prints, exits or aborts.
//   try { model = rondo::Classifier::load("news.rondo"); } catch (const rondo::FormatError& e) { ... }
#pragma once

#include <stdexcept>

namespace rondo {

/// Anything that Rondo throws on purpose. what() says where, what was wanted, what was there, what to do.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Operands whose dimensions do not fit: `lstm: x must be [R, 128], got [32, 64]`.
class ShapeError : public Error {
  using Error::Error;
};

/// An option out of range, unknown, or without effect beside the others.
class ConfigError : public Error {
  using Error::Error;
};

/// A mistake in the user's data: `news.csv:1042: 2 columns, expected 3`.
class DataError : public Error {
  using Error::Error;
};

/// A file that is not what it says it is: cut, altered, hostile, or of a newer version.
class FormatError : public Error {
  using Error::Error;
};

/// The operating system said no: no such file, no permission, no space left.
class IoError : public Error {
  using Error::Error;
};

}  // namespace rondo
