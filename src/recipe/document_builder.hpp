#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include "recipe/document.hpp"

namespace koine::recipe {

/// Builds a Node tree from yaml-cpp's events, with every guard applied while it grows.
class DocumentBuilder : public YAML::EventHandler {
 public:
  DocumentBuilder(std::size_t source, Problems& problems) : source_(source), problems_(problems) {}

  [[nodiscard]] Node take() { return std::move(root_); }
  [[nodiscard]] Place place_of(const YAML::Mark& mark) const;

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override;

 private:
  /// A list or map that is still open.
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    std::optional<Field> key{};  ///< of a map: the key whose value comes next
    bool is_merge = false;       ///< that key is <<
    std::vector<Node> merged{};  ///< values of <<
  };

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);
  void close();
  void complete(Node node, YAML::anchor_t anchor);
  void take_key(Frame& frame, const Node& node, bool is_plain);
  void put(Frame& frame, Node node);
  void merge(Node& into, const Node& from);
  void spend(std::size_t values, const Place& place);
  void check_tag(const std::string& tag, const Place& place);

  std::size_t source_;
  Problems& problems_;
  Node root_;
  std::vector<Frame> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t spent_ = 0;
  bool last_is_plain_ = false;
};

}  // namespace koine::recipe
