#include "tensor/operations.h"

#include "base/errors.h"

namespace rondo {

Variable linear(const Variable& x, const Variable& w, const Variable& b, Precision precision) {
  if (x.matrix().columns != w.matrix().columns) {
    throw_error<ShapeError>("linear: x must be [R, {}], got {}", w.matrix().columns, to_string(x.shape()));
  }
  Backend& backend = x.tape().backend();
  Tensor y({x.matrix().rows, w.matrix().rows}, x.value().type());
  backend.product({.a = x.matrix(),
                   .b = w.matrix(),
                   .c = y.matrix(),
                   .bias = b.matrix(),
                   .transpose_b = true,
                   .precision = precision});
  return x.tape().make_result(y, {x, w, b}, [&backend, x, w, precision](const Gradients& g) {
    const ConstMatrix d_y = g.result();
    if (Matrix d_x = g.input(0)) {
      backend.product({.a = d_y, .b = w.matrix(), .c = d_x, .accumulate = true, .precision = precision});
    }
    if (Matrix d_w = g.input(1)) {
      backend.product({.a = d_y,
                       .b = x.matrix(),
                       .c = d_w,
                       .transpose_a = true,
                       .accumulate = true,
                       .precision = precision});
    }
    if (Matrix d_b = g.input(2)) backend.add_column_sums(d_y, d_b);
  });
}

Variable activate(Activation kind, const Variable& x) {
  Backend& backend = x.tape().backend();
  Tensor y(x.shape(), x.value().type());
  backend.activate(kind, x.matrix(), y.matrix());
  return x.tape().make_result(y, {x}, [&backend, kind, y](const Gradients& g) {
    backend.activate_backward(kind, y.matrix(), g.result(), g.input(0));
  });
}

Variable dropout(const Variable& x, double probability) {
  if (probability == 0 || !x.tape().options().training) return x;
  Backend& backend = x.tape().backend();
  Tensor mask(x.shape(), x.value().type());
  Tensor y(x.shape(), x.value().type());
  backend.dropout_mask(x.tape().next_stream(), probability, mask.matrix());
  backend.multiply(x.matrix(), mask.matrix(), y.matrix(), false);
  return x.tape().make_result(y, {x}, [&backend, mask](const Gradients& g) {
    backend.multiply(g.result(), mask.matrix(), g.input(0), true);
  });
}

Variable slice(const Variable& x, const Slice& part) {
  const Matrix whole = x.matrix();
  const int64_t rows = part.rows > 0 ? part.rows : whole.rows - part.first_row;
  const int64_t columns = part.columns > 0 ? part.columns : whole.columns - part.first_column;
  if (part.first_row < 0 || rows < 0 || part.first_row + rows > whole.rows || part.first_column < 0 ||
      columns < 0 || part.first_column + columns > whole.columns) {
    throw_error<ShapeError>("slice: rows {}+{} and columns {}+{} of {}", part.first_row, rows,
                            part.first_column, columns, to_string(x.shape()));
  }
  const auto cut = [=](const Matrix& m) {
    return m.rows_at(part.first_row, rows).columns_at(part.first_column, columns);
  };
  Backend& backend = x.tape().backend();
  Tensor y({rows, columns}, x.value().type());
  backend.copy(cut(whole), y.matrix(), false);
  return x.tape().make_result(
      y, {x}, [&backend, cut](const Gradients& g) { backend.copy(g.result(), cut(g.input(0)), true); });
}

Variable concatenate(std::span<const Variable> parts) {
  if (parts.size() == 1) return parts.front();
  Tape& tape = parts.front().tape();
  const int64_t rows = parts.front().matrix().rows;
  int64_t columns = 0;
  for (const Variable& part : parts) {
    if (part.matrix().rows != rows) {
      throw_error<ShapeError>("concatenate: a part must have {} rows, got {}", rows, to_string(part.shape()));
    }
    columns += part.matrix().columns;
  }
  Backend& backend = tape.backend();
  Tensor y({rows, columns}, parts.front().value().type());
  std::vector<int64_t> starts;
  int64_t start = 0;
  for (const Variable& part : parts) {
    backend.copy(part.matrix(), y.matrix().columns_at(start, part.matrix().columns), false);
    starts.push_back(start);
    start += part.matrix().columns;
  }
  return tape.make_result(y, {parts.begin(), parts.end()}, [&backend, starts](const Gradients& g) {
    for (size_t i = 0; i < starts.size(); ++i) {
      if (Matrix d_part = g.input(i))
        backend.copy(g.result().columns_at(starts[i], d_part.columns), d_part, true);
    }
  });
}

Variable stack_rows(std::span<const Variable> parts) {
  if (parts.size() == 1) return parts.front();
  Tape& tape = parts.front().tape();
  Backend& backend = tape.backend();
  const int64_t columns = parts.front().matrix().columns;
  int64_t rows = 0;
  for (const Variable& part : parts) rows += part.matrix().rows;
  Tensor y({rows, columns}, parts.front().value().type());
  std::vector<int64_t> starts;
  int64_t start = 0;
  for (const Variable& part : parts) {
    if (part.matrix().columns != columns) {
      throw_error<ShapeError>("stack_rows: a part must have {} columns, got {}", columns,
                              to_string(part.shape()));
    }
    backend.copy(part.matrix(), y.matrix().rows_at(start, part.matrix().rows), false);
    starts.push_back(start);
    start += part.matrix().rows;
  }
  return tape.make_result(y, {parts.begin(), parts.end()}, [&backend, starts](const Gradients& g) {
    for (size_t i = 0; i < starts.size(); ++i) {
      if (Matrix d_part = g.input(i)) backend.copy(g.result().rows_at(starts[i], d_part.rows), d_part, true);
    }
  });
}

Variable add(const Variable& a, const Variable& b) {
  if (a.shape() != b.shape()) {
    throw_error<ShapeError>("add: b must be {}, got {}", to_string(a.shape()), to_string(b.shape()));
  }
  Backend& backend = a.tape().backend();
  const Tensor y = a.value().clone();
  backend.copy(b.matrix(), y.matrix(), true);
  return a.tape().make_result(y, {a, b}, [&backend](const Gradients& g) {
    if (Matrix d_a = g.input(0)) backend.copy(g.result(), d_a, true);
    if (Matrix d_b = g.input(1)) backend.copy(g.result(), d_b, true);
  });
}

Variable weighted_sum(const Variable& losses, const Tensor& weights) {
  const Matrix values = losses.matrix();
  if (values.size() != weights.size()) {
    throw_error<ShapeError>("weighted_sum: {} losses, {} weights", values.size(), weights.size());
  }
  Backend& backend = losses.tape().backend();
  const Matrix row{values.data, values.type, 1, values.size(), values.size()};
  Tensor total({1, 1}, values.type);
  backend.product({.a = row, .b = weights.matrix(), .c = total.matrix(), .transpose_b = true});
  return losses.tape().make_result(total.reshape({1}), {losses}, [&backend, weights](const Gradients& g) {
    const Matrix d_losses = g.input(0);
    const Matrix row_gradient{d_losses.data, d_losses.type, 1, d_losses.size(), d_losses.size()};
    backend.product({.a = g.result(), .b = weights.matrix(), .c = row_gradient, .accumulate = true});
  });
}

Loss softmax_cross_entropy(const Variable& logits, std::vector<int32_t> targets) {
  const int64_t rows = logits.matrix().rows;
  if (static_cast<int64_t>(targets.size()) != rows) {
    throw_error<ShapeError>("softmax_cross_entropy: {} targets for logits {}", targets.size(),
                            to_string(logits.shape()));
  }
  Backend& backend = logits.tape().backend();
  Tensor probabilities(logits.shape(), logits.value().type());
  Tensor losses({1, rows}, logits.value().type());
  backend.softmax_cross_entropy(logits.matrix(), targets, probabilities.matrix(), losses.matrix());
  Variable result = logits.tape().make_result(
      losses, {logits}, [&backend, probabilities, targets = std::move(targets)](const Gradients& g) {
        backend.softmax_cross_entropy_backward(probabilities.matrix(), targets, g.result(), g.input(0));
      });
  return {result, probabilities};
}

Loss sigmoid_cross_entropy(const Variable& logits, const Tensor& targets) {
  if (targets.shape() != logits.shape()) {
    throw_error<ShapeError>("sigmoid_cross_entropy: targets {} for logits {}", to_string(targets.shape()),
                            to_string(logits.shape()));
  }
  Backend& backend = logits.tape().backend();
  Tensor probabilities(logits.shape(), logits.value().type());
  Tensor losses({1, logits.matrix().rows}, logits.value().type());
  backend.sigmoid_cross_entropy(logits.matrix(), targets.matrix(), probabilities.matrix(), losses.matrix());
  Variable result =
      logits.tape().make_result(losses, {logits}, [&backend, probabilities, targets](const Gradients& g) {
        backend.sigmoid_cross_entropy_backward(probabilities.matrix(), targets.matrix(), g.result(),
                                               g.input(0));
      });
  return {result, probabilities};
}

}  // namespace rondo
