import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Asks a bucket by S3A whenever it reads a line: over a file system that it keeps, and over a new one. */
public class Probe {
    private static String asked(FileSystem files) {
        try {
            return files.exists(new Path("/incoming")) ? "there" : "trusted";
        } catch (Throwable error) {
            Throwable cause = error;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            return cause.getClass().getSimpleName();
        }
    }

    public static void main(String[] words) throws Exception {
        Configuration conf = new Configuration();
        for (String word : words) {
            int at = word.indexOf('=');
            conf.set(word.substring(0, at), word.substring(at + 1));
        }
        URI bucket = URI.create("s3a://scenes/");
        FileSystem kept = FileSystem.newInstance(bucket, conf);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        while (lines.readLine() != null) {
            try (FileSystem fresh = FileSystem.newInstance(bucket, conf)) {
                System.out.println(asked(kept) + " " + asked(fresh));
            }
        }
    }
}
