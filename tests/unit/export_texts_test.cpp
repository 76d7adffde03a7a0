#include "pipeline/export_texts.hpp"

#include <gtest/gtest.h>

namespace koine::pipeline {
namespace {

const char* const kRecipe = R"({"merge_method":"lors","base_model":"org/base","models":[
  {"model":"a b","name":"a b","parameters":{"weight":1.5}},{"model":"es","name":"es","parameters":{}}],
  "parameters":{"rank":7,"lambda":1e-06},"select":["attention","mlp"],"out_dtype":null})";

TEST(ExportTexts, RecipeAsYaml) {
  EXPECT_EQ(recipe_yaml(kRecipe, "x"), std::string(kExportMark) + R"(merge_method: "lors"
base_model: "org/base"
models:
  - model: "a b"
    name: "a b"
    parameters:
      weight: 1.5
  - model: "es"
    name: "es"
    parameters: {}
parameters:
  rank: 7
  lambda: 1.0e-06
select: ["attention", "mlp"]
out_dtype: null
)");
}

TEST(ExportTexts, CardHasTheHubsFrontMatter) {
  const std::string card = model_card(kRecipe, DType::f16, "x");
  EXPECT_TRUE(card.starts_with(
      "---\nbase_model:\n  - \"org/base\"\n  - \"a b\"\n  - \"es\"\nbase_model_relation: merge\n"))
      << card;
  for (const char* part :
       {"library_name: transformers", "pipeline_tag: automatic-speech-recognition",
        "tags:\n  - merge\n  - koine\n  - whisper\n  - lors\n", "float16",
        "```yaml\nmerge_method"}) {
    EXPECT_NE(card.find(part), std::string::npos) << part;
  }
}

TEST(ExportTexts, DtypeOfTheConfigAloneChanges) {
  EXPECT_EQ(config_with_dtype("{\n \"a\": 1,\"torch_dtype\" : \"float32\",\n \"b\":2}\n",
                              DType::f16, "x"),
            "{\n \"a\": 1,\"torch_dtype\" : \"float16\",\n \"b\":2}\n");
  EXPECT_EQ(config_with_dtype(R"({"dtype":null})", DType::bf16, "x"), R"({"dtype":"bfloat16"})");
  const std::string same = "{ \"torch_dtype\":\"float32\" }";
  EXPECT_EQ(config_with_dtype(same, DType::f32, "x"), same);
  EXPECT_EQ(config_with_dtype(R"({"a":1})", DType::f32, "x"),
            "{\n  \"a\": 1,\n  \"torch_dtype\": \"float32\"\n}\n");
}

TEST(ExportTexts, AFieldOfTheSameNameFurtherInStays) {
  const std::string config = R"({"inner":{"torch_dtype":"float32"},"torch_dtype":"float32"})";
  const std::string changed = config_with_dtype(config, DType::f16, "x");
  EXPECT_NE(changed.find("\"inner\": {\n    \"torch_dtype\": \"float32\""), std::string::npos)
      << changed;
  EXPECT_NE(changed.find("\n  \"torch_dtype\": \"float16\""), std::string::npos) << changed;
}

}  // namespace
}  // namespace koine::pipeline
