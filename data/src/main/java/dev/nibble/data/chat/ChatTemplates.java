package dev.nibble.data.chat;

import dev.nibble.data.tokenizer.ModelJson;
import dev.nibble.errors.Remedy;
import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Template;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Values;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** Sources of chat templates: the model's files, shipped templates, and those of the user. */
public final class ChatTemplates {
  /** The templates that Nibble ships, by name. */
  public static final List<String> SHIPPED = List.of("chatml");

  private static final String STANDARD = "default";
  private static final String TOOLS = "tool_use";

  private ChatTemplates() {}

  /**
   * The template that {@code choice} asks for, with the special tokens of the model.
   *
   * <p>A model's own is in {@code chat_template.jinja}, with others in {@code
   * additional_chat_templates/}; else in {@code tokenizer_config.json}, as text or as a list with
   * names; else in {@code chat_template.json}.
   *
   * @param model the model's folder
   * @param variables further variables of the template
   * @param now the time it is told
   * @throws InvalidChatTemplate when there is none or it cannot be read
   */
  public static ChatTemplate find(
      Path model, TemplateChoice choice, Map<String, Value> variables, LocalDateTime now) {
    Map<String, Value> all = new HashMap<>(specialTokens(model));
    all.putAll(variables);
    return switch (choice) {
      case TemplateChoice.OfModel _ -> ofModel(model, all, now);
      case TemplateChoice.Shipped(String name) ->
          single("the shipped template " + name, shipped(name), all, now);
      case TemplateChoice.InFile(Path file) -> single(file.toString(), read(file), all, now);
      case TemplateChoice.Inline(String source) ->
          single("the given chat template", source, all, now);
    };
  }

  private static ChatTemplate single(
      String source, String text, Map<String, Value> variables, LocalDateTime now) {
    return new ChatTemplate(source, parsed(source, text), Optional.empty(), variables, now);
  }

  private static ChatTemplate ofModel(Path model, Map<String, Value> variables, LocalDateTime now) {
    Found found =
        inFiles(model)
            .or(() -> inJson(model.resolve("tokenizer_config.json")))
            .or(() -> inJson(model.resolve("chat_template.json")))
            .orElseThrow(() ->
                new InvalidChatTemplate(
                    "%s has no chat template (no chat_template.jinja, and no chat_template in tokenizer_config.json or chat_template.json)"
                        .formatted(model),
                    Remedy.GIVE_CHAT_TEMPLATE));
    String standard = found.byName.get(STANDARD);
    String tools = found.byName.get(TOOLS);
    if (standard == null && tools == null) {
      throw new InvalidChatTemplate(
          "%s: there is no template named '%s'; there are %s"
              .formatted(found.source, STANDARD, found.byName.keySet()),
          Remedy.GIVE_CHAT_TEMPLATE_FILE);
    }
    Optional<Template> forTools =
        Optional.ofNullable(tools).map(t -> parsed(found.source + " (" + TOOLS + ")", t));
    Template main = standard == null ? forTools.orElseThrow() : parsed(found.source, standard);
    return new ChatTemplate(found.source, main, forTools, variables, now);
  }

  private record Found(String source, Map<String, String> byName) {}

  private static Optional<Found> inFiles(Path model) {
    Path file = model.resolve("chat_template.jinja");
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    Map<String, String> byName = new LinkedHashMap<>();
    byName.put(STANDARD, read(file));
    Path tools = model.resolve("additional_chat_templates").resolve(TOOLS + ".jinja");
    if (Files.isRegularFile(tools)) {
      byName.put(TOOLS, read(tools));
    }
    return Optional.of(new Found(file.toString(), byName));
  }

  private static Optional<Found> inJson(Path file) {
    JsonNode node = json(file).path("chat_template");
    Map<String, String> byName = new LinkedHashMap<>();
    if (node.isString()) {
      byName.put(STANDARD, node.asString());
    }
    for (JsonNode entry : node) {
      byName.put(entry.path("name").asString(""), entry.path("template").asString(""));
    }
    return byName.isEmpty() ? Optional.empty() : Optional.of(new Found(file.toString(), byName));
  }

  private static Template parsed(String source, String text) {
    try {
      return Template.parse(source, text);
    } catch (JinjaException e) {
      throw new InvalidChatTemplate("the chat template cannot be used: " + e.getMessage(), e);
    }
  }

  /**
   * The texts of the special tokens by role, such as {@code bos_token}. {@code
   * tokenizer_config.json} goes before {@code special_tokens_map.json}; a null there means none.
   */
  private static Map<String, Value> specialTokens(Path model) {
    Map<String, Value> tokens = new HashMap<>();
    for (String name : List.of("special_tokens_map.json", "tokenizer_config.json")) {
      json(model.resolve(name))
          .properties()
          .forEach(entry -> {
            JsonNode value = entry.getValue();
            JsonNode text = value.isObject() ? value.path("content") : value;
            if (entry.getKey().endsWith("_token") && text.isString()) {
              tokens.put(entry.getKey(), Values.of(text.asString()));
            } else if (entry.getKey().endsWith("_token") && value.isNull()) {
              tokens.remove(entry.getKey());
            }
          });
    }
    return tokens;
  }

  private static JsonNode json(Path file) {
    return ModelJson.read(file, InvalidChatTemplate::new);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new InvalidChatTemplate(file + ": the chat template is not UTF-8 text.", e);
    } catch (IOException e) {
      throw new InvalidChatTemplate(
          file + ": the chat template cannot be read: " + e.getMessage(), e);
    }
  }

  private static String shipped(String name) {
    try (InputStream in = ChatTemplates.class.getResourceAsStream(name + ".jinja")) {
      if (in == null) {
        throw new InvalidChatTemplate(
            "there is no shipped chat template '%s'; there are %s".formatted(name, SHIPPED));
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new InvalidChatTemplate("the shipped chat template " + name + " cannot be read", e);
    }
  }
}
