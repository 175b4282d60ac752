package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.flag;
import static dev.nibble.recipes.schema.KeyTypes.inputPath;
import static dev.nibble.recipes.schema.KeyTypes.text;

import dev.nibble.data.chat.ChatTemplates;
import dev.nibble.data.chat.TemplateChoice;
import dev.nibble.recipes.recipe.Recipe.Dataset;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyType;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.MapTypes;
import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Scalar;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Keys of the chat template. */
final class ChatKeys {
  private static final String OF_MODEL = "tokenizer_default";

  private ChatKeys() {}

  static final Key<Recipe, TemplateChoice> CHAT_TEMPLATE =
      Key.when(
          "chat_template",
          new TemplateType(),
          otherwise("the model's own, for conversations"),
          r -> r.data().chat().template().filter(t -> !(t instanceof TemplateChoice.Inline)),
          "The template that renders conversations as text: `tokenizer_default` (the model's own), `chatml` (shipped), or the path of a"
              + " `.jinja` file. When it is given, `alpaca` and `prompt_completion` rows become conversations of one turn. See"
              + " [chat templates](chat-templates.md).");

  static final Key<Recipe, String> CHAT_TEMPLATE_JINJA =
      Key.when(
          "chat_template_jinja",
          text(),
          otherwise("see `chat_template`"),
          r ->
              r.data()
                  .chat()
                  .template()
                  .map(t -> t instanceof TemplateChoice.Inline(String source) ? source : "")
                  .filter(source -> !source.isEmpty()),
          "The text of the chat template, instead of `chat_template`.");

  static final Key<Recipe, Map<String, Object>> CHAT_TEMPLATE_KWARGS =
      Key.when(
          "chat_template_kwargs",
          MapTypes.values(),
          otherwise("none"),
          r -> Optional.of(r.data().chat().variables()).filter(map -> !map.isEmpty()),
          "Variables passed to the chat template, such as `{enable_thinking: false}`.");

  static final Key<Recipe, Boolean> MASK_HISTORY =
      Key.when(
          "mask_history",
          flag(),
          value(false),
          r -> Optional.of(r.data().chat().lastOnly()).filter(lastOnly -> lastOnly),
          "Train only on the last answer of each conversation.");

  static List<Key<Recipe, ?>> keys() {
    return List.of(CHAT_TEMPLATE, CHAT_TEMPLATE_JINJA, CHAT_TEMPLATE_KWARGS, MASK_HISTORY);
  }

  static void check(KeyValues<Recipe> v) {
    if (v.given(CHAT_TEMPLATE) && v.given(CHAT_TEMPLATE_JINJA)) {
      v.problem(CHAT_TEMPLATE_JINJA, "chat_template is given too; keep one of them");
    }
    Optional<List<Dataset>> datasets = v.find(DataKeys.DATASETS);
    boolean template = v.given(CHAT_TEMPLATE) || v.given(CHAT_TEMPLATE_JINJA);
    boolean used =
        datasets.isEmpty()
            || datasets.get().stream()
                .anyMatch(
                    d -> d.format().isConversation() || (template && d.format().isQuestion()));
    if (!used) {
      v.refuse(
          "no dataset holds conversations; remove it",
          CHAT_TEMPLATE,
          CHAT_TEMPLATE_JINJA,
          CHAT_TEMPLATE_KWARGS,
          MASK_HISTORY);
    }
  }

  static Recipe.Chat build(KeyValues<Recipe> v) {
    return new Recipe.Chat(
        v.find(CHAT_TEMPLATE).or(() -> v.find(CHAT_TEMPLATE_JINJA).map(TemplateChoice.Inline::new)),
        v.find(CHAT_TEMPLATE_KWARGS).orElse(Map.of()),
        v.get(MASK_HISTORY));
  }

  private static final class TemplateType implements KeyType<TemplateChoice> {
    @Override
    public String describe() {
      return "%s, %s, or the path of a .jinja file"
          .formatted(OF_MODEL, String.join(", ", ChatTemplates.SHIPPED));
    }

    @Override
    public Optional<TemplateChoice> read(Node node, String path, Problems problems) {
      if (node instanceof Scalar s && s.kind() == Scalar.Kind.TEXT) {
        if (s.text().equals(OF_MODEL)) {
          return Optional.of(new TemplateChoice.OfModel());
        }
        if (ChatTemplates.SHIPPED.contains(s.text())) {
          return Optional.of(new TemplateChoice.Shipped(s.text()));
        }
        if (s.text().endsWith(".jinja")) {
          return inputPath().read(node, path, problems).map(TemplateChoice.InFile::new);
        }
      }
      return mismatch(node, path, problems, "");
    }

    @Override
    public Object plain(TemplateChoice value) {
      return switch (value) {
        case TemplateChoice.OfModel _ -> OF_MODEL;
        case TemplateChoice.Shipped(String name) -> name;
        case TemplateChoice.InFile(java.nio.file.Path file) -> file.toString();
        case TemplateChoice.Inline(String source) -> source;
      };
    }
  }
}
