using EdgeCloud.Testing;

[assembly: AssemblyFixture(typeof(S3Server))]
[assembly: AssemblyFixture(typeof(MosquittoBroker))]
