#include "recipe/document_builder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace koine::recipe {
namespace {

constexpr std::size_t kDeepest = 32;
constexpr std::size_t kMostValues = 100'000;
constexpr std::size_t kCharacters = 100;  // of a scalar that count as one value more
constexpr std::size_t kMostKeys = 1000;   // of one map: looking for repeated ones is quadratic

}  // namespace

Place DocumentBuilder::place_of(const YAML::Mark& mark) const {
  return {source_, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
}

void DocumentBuilder::OnDocumentStart(const YAML::Mark& mark) {
  root_ = Node{.fields = {}, .place = place_of(mark)};
  anchors_.clear();
}

void DocumentBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  spend(1, place_of(mark));
  last_is_plain_ = true;
  complete(Node{.fields = {}, .place = place_of(mark)}, anchor);
}

void DocumentBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end())
    problems_.fail(place_of(mark), "an alias inside the value it stands for");
  spend(found->second.count, place_of(mark));
  last_is_plain_ = false;
  complete(found->second, 0);
}

void DocumentBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag,
                               YAML::anchor_t anchor, const std::string& value) {
  const Place place = place_of(mark);
  const std::size_t count = 1 + value.size() / kCharacters;
  spend(count, place);
  check_tag(tag, place);
  if (std::any_of(value.begin(), value.end(), is_control)) {
    problems_.fail(place, fmt::format("{} holds a control character", shown(value)));
  }
  last_is_plain_ = tag == "?";
  complete(
      Node{.kind = Node::Kind::scalar, .text = value, .fields = {}, .place = place, .count = count},
      anchor);
}

void DocumentBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                      YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) {
  open(Node::Kind::list, mark, tag, anchor);
}

void DocumentBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag,
                                 YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) {
  open(Node::Kind::map, mark, tag, anchor);
}

void DocumentBuilder::OnMapEnd() {
  Frame& frame = open_.back();
  for (const Node& from : frame.merged) merge(frame.node, from);
  close();
}

void DocumentBuilder::open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
                           YAML::anchor_t anchor) {
  const Place place = place_of(mark);
  spend(1, place);
  check_tag(tag, place);
  if (open_.size() >= kDeepest)
    problems_.fail(place, fmt::format("nested deeper than {} levels", kDeepest));
  open_.push_back(
      Frame{.node = Node{.kind = kind, .fields = {}, .place = place}, .anchor = anchor});
}

void DocumentBuilder::close() {
  Frame frame = std::move(open_.back());
  open_.pop_back();
  last_is_plain_ = false;
  complete(std::move(frame.node), frame.anchor);
}

void DocumentBuilder::complete(Node node, YAML::anchor_t anchor) {
  if (anchor != 0) {
    spend(node.count, node.place);
    anchors_[anchor] = node;
  }
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Frame& frame = open_.back();
  if (frame.node.is_map() && !frame.key) {
    take_key(frame, node, last_is_plain_);
  } else {
    put(frame, std::move(node));
  }
}

void DocumentBuilder::take_key(Frame& frame, const Node& node, bool is_plain) {
  if (!node.is_scalar()) problems_.add(node.place, "a key must be a word");
  frame.key = Field{.key = node.text, .place = node.place, .value = {}};
  frame.is_merge = is_plain && node.text == "<<";
}

void DocumentBuilder::put(Frame& frame, Node node) {
  if (frame.node.is_list()) {
    frame.node.count += node.count;
    frame.node.items.push_back(std::move(node));
    return;
  }
  Field field = std::exchange(frame.key, std::nullopt).value_or(Field{});
  if (frame.is_merge) {
    frame.merged.push_back(std::move(node));
    return;
  }
  for (const Field& other : frame.node.fields) {
    if (other.key != field.key) continue;
    problems_.add(field.place, fmt::format("key {} stands twice (first at line {}); keep one",
                                           shown(field.key), other.place.line));
    return;
  }
  if (frame.node.fields.size() >= kMostKeys) {
    problems_.fail(field.place, fmt::format("more than {} keys in one map", kMostKeys));
  }
  frame.node.count += 1 + node.count;
  field.value = std::move(node);
  frame.node.fields.push_back(std::move(field));
}

void DocumentBuilder::merge(Node& into, const Node& from) {
  if (from.is_list()) {
    for (const Node& item : from.items) merge(into, item);
    return;
  }
  if (!from.is_map()) problems_.add(from.place, "'<<' takes a map or a list of maps");
  for (const Field& field : from.fields) {
    const bool is_there =
        std::any_of(into.fields.begin(), into.fields.end(),
                    [&field](const Field& other) { return other.key == field.key; });
    if (is_there) continue;
    spend(1 + field.value.count, from.place);
    into.count += 1 + field.value.count;
    into.fields.push_back(field);
  }
}

void DocumentBuilder::spend(std::size_t values, const Place& place) {
  spent_ += values;
  if (spent_ > kMostValues) {
    problems_.fail(place, fmt::format("more than {} values after expanding aliases", kMostValues));
  }
}

void DocumentBuilder::check_tag(const std::string& tag, const Place& place) {
  constexpr std::string_view kYaml = "tag:yaml.org,2002:";
  if (tag.empty() || tag == "?" || tag == "!") return;
  for (const std::string_view name : {"str", "int", "float", "bool", "null", "seq", "map"}) {
    if (tag.starts_with(kYaml) && std::string_view(tag).substr(kYaml.size()) == name) return;
  }
  problems_.add(place, fmt::format("YAML tag {} is not supported; remove it", shown(tag)));
}

}  // namespace koine::recipe
