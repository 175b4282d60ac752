package dev.nibble.cli;

import dev.nibble.api.Chat;
import dev.nibble.api.Model;
import dev.nibble.api.Nibble;
import dev.nibble.cli.chat.ChatSession;
import dev.nibble.cli.chat.HistoryFile;
import dev.nibble.cli.chat.SamplingSettings;
import dev.nibble.cli.chat.ToolsFile;
import dev.nibble.cli.input.LineEditor;
import dev.nibble.cli.input.LineEditor.Typed;
import dev.nibble.cli.report.Activities;
import dev.nibble.cli.terminal.Console;
import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code nibble chat}. */
@Command(
    name = "chat",
    header = "Talk with a trained model, in its chat template.",
    description = {
      "%nEach answer takes all into account that was said before. At a terminal, a backslash at the end of a line or"
          + " Alt-Enter goes on in the next line, Ctrl-C stops an answer, Ctrl-D leaves, and /help lists commands, such as"
          + " /adapter off to compare with the base model and /save FILE to keep the conversation as training data."
          + " Without a terminal, each line of standard input is a message or a command, and answers alone go to standard"
          + " output."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble chat outputs/conversations",
      "  nibble chat outputs/conversations --system \"Answer with one category.\" --temperature 0.7",
      "  nibble chat outputs/conversations < questions.txt > answers.txt"
    })
final class ChatCommand implements Callable<Integer> {
  private static final int PASS_TOKENS = 512;
  private static final String PROMPT = "> ";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private RunArguments run = new RunArguments();

  @Option(names = "--system", paramLabel = "TEXT", description = "System prompt.")
  private @Nullable String system;

  @Option(
      names = "--tools",
      paramLabel = "FILE",
      description = "JSON file with a list of schemas of functions that the model may call.")
  private @Nullable Path tools;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "1024",
      description = "Largest number of tokens of an answer (default ${DEFAULT-VALUE}).")
  private int maxNewTokens;

  @Mixin private SamplingOptions sampling = new SamplingOptions();

  @Option(
      names = "--no-history",
      description =
          "Do not keep what is typed for the next time. It is kept in ~/.local/state/nibble (or $XDG_STATE_HOME/nibble),"
              + " where only you can read it.")
  private boolean noHistory;

  @Override
  public Integer call() {
    Arguments.atLeast(spec, "--max-new-tokens", maxNewTokens, 1);
    SamplingSettings settings = sampling.upTo(maxNewTokens);
    List<?> schemas = tools == null ? List.of() : ToolsFile.read(tools);
    try (Console console = Console.standard()) {
      Nibble nibble = Nibble.reportingTo(event -> Activities.show(event, console));
      try (Model model = nibble.open(run.read(), PASS_TOKENS);
          Chat chat = model.chat(Optional.ofNullable(system), settings.sampling())) {
        if (!schemas.isEmpty() && !chat.tools(schemas)) {
          throw new ParameterException(
              spec.commandLine(), "--tools: the chat template has no place for tools; remove it");
        }
        console.live("");
        if (Boolean.getBoolean("nibble.piped")) {
          answerPiped(chat, settings, console);
        } else {
          talk(chat, settings, console);
        }
      }
    }
    return ExitCode.OK;
  }

  /** One message a line; the first that cannot be answered ends it. */
  private void answerPiped(Chat chat, SamplingSettings settings, Console console) {
    PrintWriter err = spec.commandLine().getErr();
    ChatSession session = new ChatSession(chat, settings, console, err::println, () -> false);
    try {
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      String line = lines.readLine();
      while (line != null && session.accept(line)) {
        line = lines.readLine();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void talk(Chat chat, SamplingSettings settings, Console console) {
    AtomicBoolean stop = new AtomicBoolean();
    ChatSession session = new ChatSession(chat, settings, console, console::sentence, stop::get);
    console.sentence("Type a message, or /help. Ctrl-C stops an answer, Ctrl-D leaves.");
    try (LineEditor editor = LineEditor.open(ChatSession.COMMANDS, history(console))) {
      editor.onInterrupt(() -> {
        if (stop.getAndSet(true)) {
          Runtime.getRuntime().halt(ExitCode.ofSignal(Interruption.INT));
        }
      });
      boolean goesOn = true;
      while (goesOn) {
        Typed typed = editor.read(PROMPT);
        stop.set(false);
        goesOn =
            switch (typed) {
              case Typed.Text(String text) -> accepted(session, text, console);
              case Typed.Interrupt _ -> {
                console.sentence("Ctrl-D or /exit leaves.");
                yield true;
              }
              case Typed.End _ -> false;
            };
      }
    }
  }

  /** A person can put right what was wrong, and the conversation goes on. */
  private static boolean accepted(ChatSession session, String text, Console console) {
    try {
      return session.accept(text);
    } catch (NibbleException e) {
      if (e.fault() == Fault.BUG) {
        throw e;
      }
      console.sentence(UserErrors.text(e));
    } catch (UncheckedIOException e) {
      console.sentence(UserErrors.text(e));
    }
    return true;
  }

  private Optional<Path> history(Console console) {
    if (noHistory) {
      return Optional.empty();
    }
    Path file = HistoryFile.usual();
    try {
      HistoryFile.make(file);
      return Optional.of(file);
    } catch (IOException e) {
      console.sentence(
          "What you type is not kept for the next time: "
              + UserErrors.text(new UncheckedIOException(e)));
      return Optional.empty();
    }
  }
}
