package dev.nibble.cli.terminal;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The width of the window that standard output goes to, asked of the system each time. */
final class WindowSize {
  /** Columns where nobody says how many there are. */
  static final int USUAL = 80;

  private static final int STDOUT = 1;

  // struct winsize: four unsigned shorts, of which ws_col is the second.
  private static final long BYTES = 8;
  private static final long COLUMNS_AT = 2;

  private WindowSize() {}

  /** Columns of the window now. */
  static int columns() {
    int columns = Ioctl.AVAILABLE ? Ioctl.columns() : 0;
    return columns > 0 ? columns : USUAL;
  }

  /** Whether standard output goes to a window or another terminal, as far as the system tells. */
  static boolean isOfATerminal() {
    return Ioctl.AVAILABLE && Ioctl.columns() != Ioctl.NO_TERMINAL;
  }

  /** The call {@code ioctl(1, TIOCGWINSZ, &size)}. */
  private static final class Ioctl {
    private static final boolean MAC = System.getProperty("os.name", "").startsWith("Mac");
    private static final long TIOCGWINSZ = MAC ? 0x40087468L : 0x5413L;
    static final boolean AVAILABLE = MAC || System.getProperty("os.name", "").equals("Linux");

    static final int NO_TERMINAL = -1;

    private static final MethodHandle IOCTL = handle();

    @SuppressWarnings("restricted") // Java itself cannot tell a window's size
    private static MethodHandle handle() {
      Linker linker = Linker.nativeLinker();
      // int ioctl(int fd, unsigned long request, ...);
      return linker.downcallHandle(
          linker.defaultLookup().findOrThrow("ioctl"),
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.ADDRESS),
          Linker.Option.firstVariadicArg(2));
    }

    /** Columns, 0 when the terminal does not know them, or {@link #NO_TERMINAL}. */
    static int columns() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment size = arena.allocate(BYTES);
        int failed = (int) IOCTL.invokeExact(STDOUT, TIOCGWINSZ, size);
        return failed == 0
            ? Short.toUnsignedInt(size.get(ValueLayout.JAVA_SHORT, COLUMNS_AT))
            : NO_TERMINAL;
      } catch (Throwable e) {
        throw new LinkageError("ioctl(1, TIOCGWINSZ)", e);
      }
    }
  }
}
