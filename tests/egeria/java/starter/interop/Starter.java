package interop;

import java.io.IOException;

/** Whoever started this process: it holds the other end of standard input. */
final class Starter
{
    private Starter() {}

    /** Ends this process in order when the starter is gone, however that ended. */
    static void endWithIt()
    {
        Thread watch = new Thread(() -> {
            try
            {
                while (System.in.read() >= 0) {}
            }
            catch (IOException gone)
            {
                // as good as the end of the stream
            }
            System.exit(0);
        }, "starter");
        watch.setDaemon(true);
        watch.start();
    }
}
