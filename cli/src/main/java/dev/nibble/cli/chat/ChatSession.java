package dev.nibble.cli.chat;

import dev.nibble.api.Answer;
import dev.nibble.api.Chat;
import dev.nibble.cli.terminal.Console;
import dev.nibble.errors.NearestName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A conversation with its commands: what begins with a slash is one, and anything else a message.
 * Two slashes begin a message that begins with one.
 */
public final class ChatSession {
  private static final String HELP =
      """
      /reset            start a new conversation; the system prompt stays
      /system TEXT      another system prompt; without TEXT, none
      /set NAME VALUE   temperature, top-p, top-k, max-new-tokens or seed; alone, show them
      /adapter on|off   answer with the adapter, or as the base model without it
      /tool TEXT        give the result of a tool that the model has called
      /save FILE        add the conversation to a file of rows that nibble train reads
      /help             this list
      /exit             leave
      //TEXT            a message that begins with a slash\
      """;

  /** The commands, for completion. */
  public static final List<String> COMMANDS =
      List.of("/reset", "/system", "/set", "/adapter", "/tool", "/save", "/help", "/exit");

  private final Chat chat;
  private final Console answers;
  private final Consumer<String> notices;
  private final BooleanSupplier stop;
  private SamplingSettings settings;

  /**
   * A conversation.
   *
   * @param chat what answers; it stays the caller's
   * @param answers where they go
   * @param notices hears the lines that are no answer
   * @param stop whether to end an answer where it is
   */
  public ChatSession(
      Chat chat,
      SamplingSettings settings,
      Console answers,
      Consumer<String> notices,
      BooleanSupplier stop) {
    this.chat = chat;
    this.answers = answers;
    this.notices = notices;
    this.stop = stop;
    this.settings = settings;
    chat.sampling(settings.sampling());
  }

  /**
   * Answers a message, or obeys a command.
   *
   * @return whether the conversation goes on
   * @throws dev.nibble.errors.NibbleException when that cannot be done; the conversation is what it
   *     was
   */
  public boolean accept(String typed) {
    String line = typed.strip();
    if (line.startsWith("/") && !line.startsWith("//")) {
      String command = line.split("\\s", 2)[0];
      return obey(command, line.substring(command.length()).strip());
    }
    if (!line.isEmpty()) {
      answer(chat.ask(line.startsWith("//") ? line.substring(1) : typed, answers::answer, stop));
    }
    return true;
  }

  private boolean obey(String command, String argument) {
    switch (command) {
      case "/exit" -> {
        return false;
      }
      case "/help" -> HELP.lines().forEach(notices);
      case "/reset" -> {
        chat.clear();
        notices.accept("A new conversation.");
      }
      case "/system" -> {
        chat.system(Optional.of(argument).filter(text -> !text.isEmpty()));
        notices.accept(argument.isEmpty() ? "No system prompt." : "The system prompt is set.");
      }
      case "/set" -> set(argument);
      case "/adapter" -> adapter(argument);
      case "/tool" ->
          answer(chat.giveResult(needed(command, "TEXT", argument), answers::answer, stop));
      case "/save" -> save(needed(command, "FILE", argument));
      default ->
          throw new InvalidInput(
              "unknown command '%s'.%s /help lists them"
                  .formatted(command, NearestName.hint(COMMANDS, command)));
    }
    return true;
  }

  private static String needed(String command, String what, String argument) {
    if (argument.isEmpty()) {
      throw new InvalidInput("%s: expected %s behind it".formatted(command, what));
    }
    return argument;
  }

  private void set(String argument) {
    if (!argument.isEmpty()) {
      String[] parts = argument.split("\\s+", -1);
      if (parts.length != 2) {
        throw new InvalidInput("/set: expected NAME VALUE, got '%s'".formatted(argument));
      }
      settings = settings.with(parts[0], parts[1]);
      chat.sampling(settings.sampling());
    }
    notices.accept(settings.shown());
  }

  private void adapter(String argument) {
    switch (argument) {
      case "on" -> {
        chat.withAdapter(true);
        notices.accept("The adapted model answers.");
      }
      case "off" -> {
        chat.withAdapter(false);
        notices.accept("The base model answers, without the adapter.");
      }
      default -> throw new InvalidInput("/adapter: expected on or off, got '" + argument + "'");
    }
  }

  private void answer(Answer answer) {
    answers.line("");
    ToolCall.in(answer.text()).forEach(call -> notices.accept("calls " + call.shown()));
    switch (answer.ending()) {
      case COMPLETE -> {}
      case STOPPED -> notices.accept("Stopped; the answer stays as far as it is there.");
      case MAX_TOKENS ->
          notices.accept(
              "Cut at %d tokens; /set max-new-tokens N allows more.".formatted(answer.tokens()));
      case CONTEXT ->
          notices.accept(
              "Cut: the conversation has the %d tokens that the model takes. /reset starts a new one; /save FILE keeps this one first."
                  .formatted(answer.promptTokens() + answer.tokens()));
    }
  }

  private void save(String name) {
    int messages = chat.history().size();
    if (chat.history().stream().noneMatch(m -> m.role().equals("assistant"))) {
      throw new InvalidInput("/save: there is no answer yet, so there is nothing to train on");
    }
    try {
      Path file = Path.of(name);
      String line = (endsItsLine(file) ? "" : "\n") + chat.row() + "\n";
      Files.writeString(
          file, line, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      notices.accept("Added a row of %d messages to %s.".formatted(messages, file));
    } catch (InvalidPathException e) {
      throw new InvalidInput("/save: '%s' is no name of a file".formatted(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean endsItsLine(Path file) throws IOException {
    if (!Files.exists(file)) {
      return true;
    }
    String text = Files.readString(file);
    return text.isEmpty() || text.endsWith("\n");
  }
}
