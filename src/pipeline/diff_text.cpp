#include <cmath>

#include <fmt/format.h>

#include "core/json.hpp"
#include "core/text.hpp"
#include "pipeline/diff.hpp"

namespace koine::pipeline {
namespace {

const char* word_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::equal:
      return "equal";
    case Comparison::differs:
      return "differs";
    case Comparison::shape_differs:
      return "shape differs";
    case Comparison::only_in_a:
      return "only in A";
    case Comparison::only_in_b:
      return "only in B";
  }
  return "";
}

std::string line_of(const TensorDiff& t) {
  if (t.comparison == Comparison::differs) {
    return fmt::format("{}: largest difference {:.6g} at {}; {} of {} elements differ\n",
                       t.canonical, t.largest, place_in(t.shape_a, t.at), human_count(t.beyond),
                       human_count(numel(t.shape_a)));
  }
  if (t.comparison == Comparison::shape_differs) {
    return fmt::format("{}: {} in A, {} in B\n", t.canonical, to_string(t.shape_a),
                       to_string(t.shape_b));
  }
  return fmt::format("{}: {}\n", t.canonical, word_of(t.comparison));
}

/// JSON knows no infinity.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json("inf");
}

Json dtype_json(const std::optional<DType>& dtype) {
  return dtype ? Json(recipe_name(*dtype)) : Json();
}

Json tensor_json(const TensorDiff& t) {
  Json entry{{"name", t.canonical},
             {"comparison", word_of(t.comparison)},
             {"dtype_a", dtype_json(t.dtype_a)},
             {"dtype_b", dtype_json(t.dtype_b)}};
  if (t.dtype_a) entry["shape_a"] = t.shape_a;
  if (t.dtype_b) entry["shape_b"] = t.shape_b;
  if (t.comparison == Comparison::equal || t.comparison == Comparison::differs) {
    entry["largest_difference"] = number(t.largest);
    entry["index"] = t.at;
    entry["elements_beyond_tolerance"] = t.beyond;
  }
  return entry;
}

}  // namespace

std::string place_in(const Shape& shape, std::int64_t index) {
  Shape place(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    place[axis] = index % shape[axis];
    index /= shape[axis];
  }
  return to_string(place);
}

std::string diff_text(const DiffReport& report, std::size_t most) {
  std::string text;
  std::size_t shown = 0, hidden = 0;
  for (const TensorDiff& tensor : report.tensors) {
    if (tensor.comparison == Comparison::equal) continue;
    if (shown++ < most)
      text += line_of(tensor);
    else
      ++hidden;
  }
  if (hidden > 0 && most > 0) text += fmt::format("and {} more (-v or --json shows all)\n", hidden);
  const TensorDiff* largest = report.largest();
  const std::int64_t missing =
      report.count(Comparison::only_in_a) + report.count(Comparison::only_in_b);
  text += report.is_equal() ? fmt::format("equal: {} tensors", report.tensors.size())
                            : fmt::format(
                                  "different: {} tensors, {} equal, {} differ, {} of another "
                                  "shape, {} missing on one side",
                                  report.tensors.size(), report.count(Comparison::equal),
                                  report.count(Comparison::differs),
                                  report.count(Comparison::shape_differs), missing);
  if (largest != nullptr && largest->largest > 0) {
    text += fmt::format("; largest difference {:.6g} in {} at {}", largest->largest,
                        largest->canonical, place_in(largest->shape_a, largest->at));
  }
  return text;
}

std::string diff_json(const DiffReport& report, const DiffOptions& options) {
  const TensorDiff* largest = report.largest();
  Json document{{"schema", "koine-diff-1"},
                {"equal", report.is_equal()},
                {"tolerance", options.tolerance},
                {"tensors_total", report.tensors.size()},
                {"tensors_equal", report.count(Comparison::equal)},
                {"tensors_different", report.count(Comparison::differs)},
                {"tensors_of_other_shape", report.count(Comparison::shape_differs)},
                {"tensors_only_in_a", report.count(Comparison::only_in_a)},
                {"tensors_only_in_b", report.count(Comparison::only_in_b)},
                {"largest_difference", number(largest != nullptr ? largest->largest : 0)},
                {"notes", report.notes},
                {"tensors", Json::array()}};
  for (const TensorDiff& tensor : report.tensors)
    document["tensors"].push_back(tensor_json(tensor));
  return to_text(document);
}

}  // namespace koine::pipeline
