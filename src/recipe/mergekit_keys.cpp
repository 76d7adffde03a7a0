#include <string>

#include "recipe/reading.hpp"

namespace koine::recipe {

void read_mergekit_keys(const Node& root, Reading& reading) {
  for (const std::string key : {"slices", "modules"}) {
    if (const Node* node = root.find(key)) {
      reading.problems.add(node->place,
                           key +
                               " stacks layers of different models, which Koine does not do; "
                               "list whole models under 'models'");
    }
  }
  for (const std::string key : {"tokenizer_source", "tokenizer", "chat_template"}) {
    const Node* node = root.find(key);
    if (node == nullptr) continue;
    const Node* source = node->find("source");
    const bool is_base = node->text == "base" ||
                         (source != nullptr && source->text == "base" && node->fields.size() == 1);
    if (!is_base)
      reading.warn(node->place,
                   key + " is not used: the base's tokenizer files are copied as they are");
  }
}

}  // namespace koine::recipe
