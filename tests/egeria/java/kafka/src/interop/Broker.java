package interop;

/** Starts a Kafka broker that ends with its starter; takes the file of its properties. */
public class Broker
{
    public static void main(String[] args)
    {
        Starter.endWithIt();
        kafka.Kafka.main(args);
    }
}
