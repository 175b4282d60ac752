package dev.nibble.data.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.jinja.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where chat templates are looked for. */
class ChatTemplatesTest {
  private static final Conversation HI =
      new Conversation(List.of(Conversation.message("user", "hi")), Optional.empty());
  private static final Conversation WITH_TOOLS =
      new Conversation(HI.messages(), Optional.of(Values.of(List.of("f"))));

  @TempDir Path model;

  private ChatTemplate find(TemplateChoice choice) {
    return ChatTemplates.find(
        model, choice, Map.of("own", Values.of("o")), LocalDateTime.of(2026, 1, 1, 0, 0));
  }

  private ChatTemplate find() {
    return find(new TemplateChoice.OfModel());
  }

  private void write(String file, String text) throws IOException {
    Files.writeString(model.resolve(file), text);
  }

  @Test
  void filesGoBeforeTheTokenizersConfiguration() throws IOException {
    write("chat_template.json", "{\"chat_template\": \"json\"}");
    assertThat(text(find(), HI)).isEqualTo("json");
    write("tokenizer_config.json", "{\"chat_template\": \"config\"}");
    assertThat(text(find(), HI)).isEqualTo("config");
    write("chat_template.jinja", "file\n");
    assertThat(text(find(), HI)).isEqualTo("file");
    assertThat(find().source()).endsWith("chat_template.jinja");
    write("own.jinja", "mine");
    assertThat(text(find(new TemplateChoice.InFile(model.resolve("own.jinja"))), HI))
        .isEqualTo("mine");
    assertThat(text(find(new TemplateChoice.Inline("{{ own }}{{ messages[0].content }}")), HI))
        .isEqualTo("ohi");
  }

  @Test
  void conversationsWithToolsHaveATemplateOfTheirOwn() throws IOException {
    write(
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"default\", \"template\": \"d\"}, {\"name\": \"tool_use\", \"template\": \"t\"}]}");
    assertThat(text(find(), HI)).isEqualTo("d");
    assertThat(text(find(), WITH_TOOLS)).isEqualTo("t");
    write(
        "tokenizer_config.json", "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"r\"}]}");
    assertThatThrownBy(this::find).hasMessageContaining("'default'").hasMessageContaining("[rag]");
  }

  @Test
  void specialTokensAreVariables() throws IOException {
    write(
        "special_tokens_map.json",
        "{\"bos_token\": \"<b>\", \"unk_token\": {\"content\": \"<u>\"}}");
    write("tokenizer_config.json", "{\"bos_token\": null, \"eos_token\": {\"content\": \"</s>\"}}");
    ChatTemplate template =
        find(
            new TemplateChoice.Inline(
                "{{ bos_token is defined }} {{ eos_token }} {{ unk_token }} {{ tools is none }}"));
    assertThat(text(template, HI)).isEqualTo("False </s> <u> True");
  }

  @Test
  void saysWhereItsFilesAreBroken() throws IOException {
    write("tokenizer_config.json", "{\n  \"bos_token\": tru}");
    assertThatThrownBy(this::find)
        .isInstanceOf(InvalidChatTemplate.class)
        .hasMessage(
            model.resolve("tokenizer_config.json")
                + ": is not valid JSON: at line 2, column 16 came tru}, which cannot stand there. Fetch the file again.");
    Files.write(model.resolve("tokenizer_config.json"), new byte[] {'"', (byte) 0xE9, '"'});
    assertThatThrownBy(this::find)
        .isInstanceOf(InvalidChatTemplate.class)
        .hasMessageContaining("is not UTF-8 text");
  }

  @Test
  void saysWhatToDoWithoutOne() throws IOException {
    assertThatThrownBy(this::find)
        .isInstanceOf(InvalidChatTemplate.class)
        .hasMessageContaining(model + " has no chat template")
        .hasMessageContaining("give a shipped template");
    write("chat_template.jinja", "a\n{% fro x %}");
    assertThatThrownBy(this::find)
        .isInstanceOf(InvalidChatTemplate.class)
        .hasMessageContaining("chat_template.jinja, line 2, column 4: unknown statement 'fro'");
  }

  private static String text(ChatTemplate template, Conversation conversation) {
    return template.render(conversation, false).text();
  }
}
