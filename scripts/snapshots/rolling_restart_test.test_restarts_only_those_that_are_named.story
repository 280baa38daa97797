0.0s ==> look
0.0s   > Restarting one after the other: pump-1
0.0s ==> pump-1: look
0.0s ==> pump-1: pause
0.0s   ? would ask: pause pump pump-1 (10.0.1.12:8250), whose record says online
0.0s   - pause pump-1: apply action pause success!
0.0s     pump-1 writes paused
0.0s     the process of pump-1 ends
0.0s ==> pump-1: replace and start
 20s     pump-1 is started
 20s     pump-1 writes online
 20s     pump-1 works
 20s   = TiDB could write to 2 of 3 Pumps for 20s
 20s   = replication of every Drainer stood still for 20s
 21s   - by hand: Replace and start pump-1 (starts pump-1): done after 21s
 21s ==> pump-1: wait until it is back
 21s   . waiting until heartbeat and newest commit of pump-1 advance
 23s   . waiting until every online Drainer reads on in pump-1
 28s ==> check that all are online, and replication goes on
 28s   . waiting until these Drainers advance: drainer-0, drainer-1
 34s   > (a table of 3 rows)
 34s === the script is done
